from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.world.anatomy import load_anatomy
from faceward_sim.world.complexion import draw_complexion
from faceward_sim.world.people import draw_person
from faceward_sim.world.shape import draw_build, head_height_mm
from faceward_sim.world.skin_map import lid_margin, load_skin_map
from faceward_sim.world.streams import stream

SEEDS = range(40, 52)


def test_a_seed_is_always_the_same_person(person_of):
    again = draw_person(41)
    first = person_of(41)
    assert np.array_equal(first.build.vertices_mm, again.build.vertices_mm)
    assert np.array_equal(first.skin_reflectance, again.skin_reflectance)
    assert np.array_equal(first.eye_reflectance, again.eye_reflectance)
    assert first.traits == again.traits
    assert first.style == again.style


def test_two_seeds_are_two_people(person_of):
    a, b = person_of(41), person_of(42)
    assert np.abs(a.build.vertices_mm - b.build.vertices_mm).max() > 3.0
    assert np.abs(a.skin_reflectance - b.skin_reflectance).mean() > 0.01


def test_a_stream_of_one_purpose_does_not_depend_on_another():
    drawn = stream(7, "blinks").random(4)
    stream(7, "hair").random(100)
    assert np.array_equal(drawn, stream(7, "blinks").random(4))
    assert not np.array_equal(drawn, stream(7, "hair").random(4))
    assert not np.array_equal(drawn, stream(8, "blinks").random(4))


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="at least 0"):
        stream(-1, "shape")


def test_heads_have_adult_sizes():
    anatomy = load_anatomy()
    for seed in SEEDS:
        build = draw_build(seed, anatomy, 1.0 + seed % 4)
        ipd_mm = build.eye_centres_mm[0, 0] - build.eye_centres_mm[1, 0]
        assert 56.9 <= ipd_mm <= 68.1
        assert 185 < head_height_mm(anatomy, build.vertices_mm) < 265
        assert 12 < build.eye_radius_mm < 18
    heights = [head_height_mm(anatomy, draw_build(s, anatomy, 2.0).vertices_mm) for s in range(60, 90)]
    assert 208 < np.mean(heights) < 236


def test_the_left_eye_is_the_persons_own_left(person_of):
    left, right = person_of(41).build.eye_centres_mm
    assert left[0] > 0 > right[0]


def test_the_face_looks_at_the_sensor(person_of):
    vertices = person_of(41).build.vertices_mm
    anatomy = load_anatomy()
    head = anatomy.follow > 0.95
    nose = vertices[head][np.argmin(vertices[head][:, 2])]
    assert abs(nose[0]) < 8
    assert 15 < nose[1] < 70


def test_skin_triangles_are_wound_counter_clockwise_seen_from_outside():
    anatomy = load_anatomy()
    corners = anatomy.vertices_mm[anatomy.wedge_vertex[anatomy.triangles[~anatomy.cavity]]]
    head = (corners[:, :, 1] < 60).all(axis=1) & (corners[:, :, 2] < 120).all(axis=1)
    corners = corners[head]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outward = corners.mean(axis=1) - np.array([0.0, 0.0, 80.0])
    assert ((normals * outward).sum(axis=1) > 0).mean() > 0.9


def test_a_head_is_closed_but_for_where_it_was_cut():
    anatomy = load_anatomy()
    ends = anatomy.wedge_vertex[anatomy.triangles]
    edges = np.concatenate([ends[:, [0, 1]], ends[:, [1, 2]], ends[:, [2, 0]]]).astype(np.int64)
    key, back = edges[:, 0] * 65536 + edges[:, 1], edges[:, 1] * 65536 + edges[:, 0]
    open_ends = np.unique(edges[~np.isin(key, back)])
    assert (anatomy.vertices_mm[open_ends, 1] > 180).all()


# sensor-physics sheet, by tone
_REFLECTANCE_940 = (0.482, 0.383, 0.300, 0.221)


@pytest.mark.parametrize(("tone", "nominal"), list(zip((1.0, 2.0, 3.0, 4.0), _REFLECTANCE_940, strict=True)))
def test_plain_skin_reflects_what_the_sheet_says_of_its_tone(tone, nominal):
    drawn = [draw_complexion(seed, tone) for seed in range(200)]
    assert np.median([c.reflectance for c in drawn]) == pytest.approx(nominal, rel=0.03)
    # The direct share of all that comes back: 5.5 % (I-II) to 11 % (VI) in the middle of each tone.
    direct = np.median([c.material.specular_share / (1 + c.material.specular_share) for c in drawn])
    assert 0.053 <= direct <= 0.115
    assert all(0.2 <= c.material.roughness <= 0.35 for c in drawn)


def test_darker_skin_spreads_a_dot_less():
    fair = np.median([draw_complexion(seed, 1.0).material.dot_r50_mm for seed in range(600)])
    dark = np.median([draw_complexion(seed, 4.0).material.dot_r50_mm for seed in range(600)])
    assert fair == pytest.approx(1.10, rel=0.05)
    assert dark == pytest.approx(0.85, rel=0.05)


@pytest.mark.parametrize("tone", [0.9, 4.1, float("nan")])
def test_a_tone_outside_the_sheet_is_refused(tone):
    with pytest.raises(ValueError, match="between 1 and 4"):
        draw_complexion(3, tone)


def test_painted_cheeks_average_the_complexion(person_of):
    skin = load_skin_map(1024)
    x, y, z = np.moveaxis(skin.position_mm, 2, 0)
    cheeks = (np.abs(np.abs(x) - 45) < 8) & (np.abs(y - 25) < 10) & (z < 50)
    for seed in (41, 42, 43):
        person = person_of(seed)
        assert person.skin_reflectance[cheeks].mean() == pytest.approx(person.complexion.reflectance, rel=0.35)


def test_brows_lashes_and_lips_differ_from_the_cheek_in_most_people(person_of):
    skin = load_skin_map(1024)
    x, y, z = np.moveaxis(skin.position_mm, 2, 0)
    lids = skin.lid_distance_mm < 0.6
    plain = (np.abs(np.abs(x) - 45) < 8) & (np.abs(y - 25) < 10) & (z < 50)
    for seed in (41, 42, 43):
        texture = person_of(seed).skin_reflectance
        assert texture[lids].mean() < 0.9 * texture[plain].mean()


def test_reflectance_stays_physical(person_of):
    for seed in (41, 42, 43):
        person = person_of(seed)
        for texture in (person.skin_reflectance, person.eye_reflectance):
            assert texture.dtype == np.float32
            assert np.isfinite(texture).all()
            assert texture.min() > 0.0 and texture.max() < 0.9


def test_each_lid_margin_lies_round_its_eye():
    anatomy = load_anatomy()
    for side in (0, 1):
        margin = anatomy.vertices_mm[lid_margin(anatomy, side)]
        assert np.sign(margin[:, 0].mean()) == (1 if side == 0 else -1)
        assert 18 < np.ptp(margin[:, 0]) < 30
        assert 4 < np.ptp(margin[:, 1]) < 14
