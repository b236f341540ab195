"""Two generators: A stays what it was, B shares none of what it says to do otherwise, and neither leaks into the other."""

from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.firmware.imager import Exposure, Prompt
from faceward_sim.optics.materials import SUBSTANCES, skin_response
from faceward_sim.optics.sensors import SENSORS
from faceward_sim.optics.transport import table
from faceward_sim.optics.transport.tissue import COMPOSED, MEASURED, Skin
from faceward_sim.world.actors import ACTORS
from faceward_sim.world.complexion import draw_complexion
from faceward_sim.world.generators import EVERY, GENERATORS, REACH, A, B, check_belongs
from faceward_sim.world.rooms import draw_room
from hypothesis import given, settings
from hypothesis import strategies as st

# What generator A draws, whatever is done to B: each actor's numbers, and each sensor's frames, seen from one direction
# of the space that they span, so that a processor's last bits are left out and nothing else is.
DRAWN = {
    "live": -2.816371,
    "live-glasses": -2.882703,
    "print-glossy-cut": -2.252450,
    "tablet-screen": -3.337900,
    "mask-silicone-matched-both": -2.326080,
    "mask-paper": -1.208211,
    "head-mannequin": 0.054454,
    "part-glasses": -2.769717,
    "mask-silicone-thin": -1.107342,
}
TAKEN = {
    "sl-940": 0.917413,
    "sl-850-940": 1.894989,
    "tof-940": 0.647793,
}


def _seen(arrays):
    """The share of numbers in a fixed direction: about a standard normal draw, and another for any other numbers."""
    rng = np.random.default_rng(1)
    values = [np.asarray(array, np.float64).ravel() for array in arrays]
    along = sum(value @ rng.standard_normal(value.size) for value in values)
    return along / np.sqrt(sum(value @ value for value in values))


def _drawn(name, seed):
    surfaces = ACTORS[name].build(seed).at(500_000, Prompt.NONE).surfaces
    # Each kind of number by itself: materials are few beside textures.
    materials = []
    for m in (surface.material for surface in surfaces):
        materials += [m.dot_r50_mm, m.dot_r90_mm, m.specular_share, m.roughness, m.share_850, m.over_range_mm]
        materials += [*m.dot_radii_mm, m.over_range_drop_mm, *m.colour]
    return (
        _seen([materials])
        + _seen([surface.vertices_mm for surface in surfaces])
        + _seen([surface.reflectance for surface in surfaces])
        + _seen([surface.triangles for surface in surfaces])
    )


def _taken(sensor):
    imager = SENSORS[sensor].build(ACTORS["live"].build(10_008), 10_008)
    infrared, depth = [], []
    for slot, (light, _) in enumerate(imager.identity.emitters):
        image = imager.expose(Exposure(slot, 33_333 * slot, light, 2_000, 1.0, Prompt.NONE))
        infrared.append(image.infrared)
        depth += [] if image.depth is None else [image.depth]
    return _seen(infrared) + _seen(depth)


@pytest.mark.parametrize("name", DRAWN)
def test_generator_a_draws_what_it_drew_before_there_was_another(name):
    assert _drawn(name, 10_007) == pytest.approx(DRAWN[name], abs=2e-4)
    assert abs(_drawn(name, 10_009) - DRAWN[name]) > 2e-3


@pytest.mark.parametrize("sensor", TAKEN)
def test_a_sensor_of_generator_a_takes_what_it_took_before(sensor):
    assert _taken(sensor) == pytest.approx(TAKEN[sensor], abs=2e-4)


# One of every kind of maker.
OF_B = ("live-glasses", "two-people", "print-glossy-cut", "tablet-video", "mask-silicone-matched-both", "mask-paper",
        "mask-gelatine", "mask-fabric", "head-wax", "part-glasses", "null-instrument", "empty")  # fmt: skip


@pytest.mark.parametrize("name", OF_B)
def test_whoever_belongs_to_b_is_drawn_without_anything_of_a(monkeypatch, name):
    asked = []

    def load(asset=table.ASSET):
        asked.append(asset)
        return table.load_table(asset)

    monkeypatch.setattr("faceward_sim.optics.materials.load_table", load)
    # Not what another test has drawn before: victims are remembered.
    surfaces = ACTORS[name].build(10_070 + OF_B.index(name), generator=B).at(0, Prompt.NONE).surfaces
    assert set(asked) <= {MEASURED.table}
    assert bool(asked) is (name != "empty")
    assert all(np.isfinite(surface.reflectance).all() and surface.reflectance.max() <= 1.0 for surface in surfaces)


@settings(deadline=None, max_examples=40)
@given(st.integers(10_000, 1 << 40), st.sampled_from(sorted(B.substances)), st.sampled_from([850, 940]))
def test_every_draw_of_every_substance_of_b_lies_within_its_table(seed, name, band):
    wearer = draw_complexion(seed, None, B)
    shell = B.substances[name].draw(np.random.default_rng(seed), wearer.skin)
    assert shell.table == MEASURED.table
    assert 0.05 < shell.response(band).reflectance < 0.97


@settings(deadline=None, max_examples=40)
@given(st.integers(10_000, 1 << 40), st.floats(1.0, 4.0))
def test_every_skin_of_b_lies_within_its_table(seed, tone):
    complexion = draw_complexion(seed, tone, B)
    assert complexion.generator is B and complexion.skin.tissue is MEASURED
    assert 0.05 < complexion.reflectance < 0.6


def test_fair_skin_of_b_is_the_sheets_second_parametrisation():
    fair = Skin(0.02, tissue=MEASURED)
    near, far = skin_response(fair, 850).reflectance, skin_response(fair, 940).reflectance
    assert near == pytest.approx(0.37, rel=0.06) and far == pytest.approx(0.40, rel=0.06)
    assert far / near == pytest.approx(1.09, rel=0.04)


def test_a_pulse_shows_in_skin_of_b_as_in_that_of_a():
    for tissue in (COMPOSED, MEASURED):
        still, beat = (skin_response(Skin(0.1, added_blood=blood, tissue=tissue)).reflectance for blood in (0.0, 0.001))
        assert -0.006 < beat / still - 1 < -0.001


def test_every_substance_of_a_is_in_b_with_wider_ends_and_touches_where_it_touched():
    assert set(B.substances) - set(SUBSTANCES) == {"gelatine", "fabric", "wax"}
    for name, was in SUBSTANCES.items():
        now = B.substances[name]
        assert now.mu_a.low <= was.mu_a.low and now.mu_a.high >= was.mu_a.high and now.mu_a.sigma > was.mu_a.sigma
        assert (now.gap_mm is None) is (was.gap_mm is None)
        if was.gap_mm is not None:
            assert (now.gap_mm.high == 0.0) is (was.gap_mm.high == 0.0)


def test_a_range_reaches_as_far_as_its_generator_says_and_not_past_what_can_be():
    assert A.beyond((1.0, 2.0)) == (1.0, 2.0)
    assert B.beyond((1.0, 2.0)) == (1.0 - REACH, 2.0 + REACH)
    assert B.beyond((1.0, 2.0), least=0.9, most=2.1) == (0.9, 2.1)
    assert A.share(0.7) == 0.7
    assert 0.5 < B.share(0.7) < 0.7 and B.share(1.0) == 1.0 and B.share(0.0) == 0.0


def test_gels_water_absorbs_where_skins_does():
    gel = B.substances["gelatine"].draw(np.random.default_rng(10_001), draw_complexion(10_001, 2.0, B).skin)
    assert gel.response(940).reflectance < gel.response(850).reflectance


def test_textures_and_rooms_of_b_are_not_those_of_a():
    for seed in range(10_000, 10_004):
        one, other = (draw_complexion(seed, 2.0, each) for each in (A, B))
        assert one.reflectance != other.reflectance
    walls = [draw_room(seed, B).surfaces for seed in range(10_000, 10_030)]
    jumps = [np.abs(np.diff(wall[0].reflectance, axis=1)).max() / wall[0].reflectance.mean() for wall in walls if wall]
    assert 5 <= len(jumps) <= 25
    assert 0.2 < np.mean(np.array(jumps) > 0.2) < 0.9  # about half have joints


def test_rows_of_a_dark_frame_hang_together_in_b_alone():
    spread = []
    for generator in (A, B):
        imager = SENSORS["sl-940"].build(ACTORS["empty"].build(10_009, generator=generator), 10_009, generator.noise)
        taken = imager.expose(Exposure(0, 0, imager.identity.emitters[1][0], 1, 1.0, Prompt.NONE))
        rows = taken.infrared[:, :200].astype(np.float64)
        expected = rows.std() / np.sqrt(rows.shape[1])
        spread.append(rows.mean(axis=1).std() / expected)
    assert spread[0] < 1.6 < spread[1]


def test_speckle_of_b_stands_while_that_of_a_is_new_in_every_slot():
    kept = []
    for generator in (A, B):
        imager = SENSORS["sl-940"].build(ACTORS["empty"].build(10_009, generator=generator), 10_009, generator.noise)
        unit, projector = imager.unit, imager._dots
        caught = []
        projector.add = lambda geometry, view, counts, shift, speckle, out, panes, to=caught: to.append(speckle.copy())
        for slot in (0, 1):
            rng = np.random.default_rng([10_009, slot])
            imager._add_dots(projector, unit, 1.0, 0.0, rng, 33_333 * slot)
        kept.append(np.corrcoef(caught[0][:, 0], caught[1][:, 0])[0, 1])
        assert caught[0][:, 0].std() == pytest.approx(unit.speckle_px, rel=0.1)
    assert abs(kept[0]) < 0.06
    assert 0.35 < kept[1] < 0.6


def test_what_a_generator_lacks_is_refused_by_name():
    assert set(EVERY) == set(GENERATORS) == {"A", "B"}
    lacking = {name for name, spec in ACTORS.items() if A.name not in spec.generators}
    assert lacking == {"mask-gelatine", "mask-fabric", "head-wax"}
    assert {name for name, spec in SENSORS.items() if A.name not in spec.generators} == {"sl-wide-940"}
    with pytest.raises(ValueError, match="generator A has no actor 'head-wax'; set generator = \"B\""):
        ACTORS["head-wax"].build(10_001, generator=A)
    with pytest.raises(ValueError, match="generator A has no thing 'x'"):
        check_belongs("thing", "x", ("B",), A)
