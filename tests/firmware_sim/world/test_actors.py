from __future__ import annotations

import cv2
import numpy as np
import pytest
from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.actors import ACTORS, attacks
from faceward_sim.world.instruments import victim_seed
from faceward_sim.world.turning import turning


@pytest.fixture(scope="module")
def built():
    cache = {}

    def build(name: str, seed: int = 50, **options):
        key = (name, seed, tuple(sorted(options.items())))
        if key not in cache:
            cache[key] = ACTORS[name].build(seed, **options)
        return cache[key]

    return build


@pytest.mark.parametrize("name", sorted(ACTORS))
def test_every_actor_hands_out_whole_meshes_and_the_same_objects_where_nothing_moves(name):
    actor = ACTORS[name].build(50)
    assert actor.name == name
    assert actor.species == ACTORS[name].species
    assert ACTORS[name].description
    first = actor.at(0, Prompt.NONE)
    for surface in first.surfaces:
        count = len(surface.vertices_mm)
        assert surface.vertices_mm.dtype == np.float32
        assert surface.triangles.dtype == np.int32
        assert surface.uv.dtype == np.float32
        assert surface.reflectance.dtype == np.float32
        assert surface.uv.shape == (count, 2)
        assert surface.triangles.min() >= 0 and surface.triangles.max() < count
        assert surface.uv.min() >= 0 and surface.uv.max() <= 1
        assert np.isfinite(surface.vertices_mm).all()
        assert surface.reflectance.min() > 0 and surface.reflectance.max() < 1
        assert 0 < surface.material.dot_r50_mm < surface.material.dot_r90_mm
    later = actor.at(900_000, Prompt.TURN_LEFT)
    for a, b in zip(first.surfaces, later.surfaces, strict=True):
        assert a.triangles is b.triangles
        assert a.uv is b.uv
        assert a.reflectance is b.reflectance
        assert a.material is b.material


@pytest.mark.parametrize("name", ["live", "mask-silicone", "print-a4", "head-mannequin", "part-glasses"])
def test_an_actor_is_reproducible_slot_by_slot(name):
    one, other = ACTORS[name].build(52), ACTORS[name].build(52)
    for slot in range(0, 60, 7):
        prompt = Prompt.SMILE if slot > 20 else Prompt.NONE
        a, b = one.at(slot * 33_333, prompt), other.at(slot * 33_333, prompt)
        for x, y in zip(a.surfaces, b.surfaces, strict=True):
            assert np.array_equal(x.vertices_mm, y.vertices_mm)
            assert np.array_equal(x.reflectance, y.reflectance)


@pytest.mark.parametrize("distance_mm", [300.0, 400.0, 700.0])
def test_the_eyes_rest_at_the_distance_asked_for(distance_mm):
    eyes = next(
        s for s in ACTORS["live"].build(53, distance_mm=distance_mm).at(0, Prompt.NONE).surfaces
        if s.material.name == "eye"
    )
    assert eyes.vertices_mm[:, 2].mean() == pytest.approx(distance_mm, abs=25)


def test_a_nonsense_distance_is_refused():
    for distance_mm in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="distance"):
            ACTORS["live"].build(1, distance_mm=distance_mm)


@pytest.mark.parametrize(("prompt", "sign"), [(Prompt.TURN_LEFT, 1), (Prompt.TURN_RIGHT, -1)])
def test_turning_to_their_own_left_moves_the_nose_to_positive_x(prompt, sign):
    actor = ACTORS["live"].build(54)
    middle = []
    for shown in (Prompt.NONE, prompt):
        for slot in range(75):
            scene = actor.at(int((len(middle) * 75 + slot) * 33_333), shown)
        skin = next(s for s in scene.surfaces if s.material.name == "skin")
        middle.append(skin.vertices_mm[np.argmin(skin.vertices_mm[:, 2]), 0])
    assert sign * (middle[1] - middle[0]) > 15


def test_yaw_and_pitch_turn_a_face_left_and_up():
    ahead = np.array([0.0, 0.0, -1.0])
    assert (turning(0.3, 0.0) @ ahead)[0] > 0.2
    assert (turning(0.0, 0.3) @ ahead)[1] < -0.2
    assert np.allclose(turning(0.3, 0.2, 0.1) @ turning(0.3, 0.2, 0.1).T, np.eye(3), atol=1e-6)


def test_masks_move_as_their_wearer_does(built):
    """The same seed draws the same sway, blinks and answers, mask or not: no timing of its own gives a mask away."""
    live, mask = ACTORS["live"].build(55), ACTORS["mask-silicone"].build(55)
    for slot in range(90):
        prompt = Prompt.TURN_LEFT if slot > 20 else Prompt.NONE
        scenes = [actor.at(slot * 33_333, prompt) for actor in (live, mask)]
        eyes = [next(s for s in scene.surfaces if s.material.name == "eye") for scene in scenes]
        assert np.allclose(eyes[0].vertices_mm, eyes[1].vertices_mm, atol=1e-3)


def test_a_mask_stands_over_the_skin_and_leaves_the_eyes_free(built):
    scene = built("mask-silicone", 56).at(0, Prompt.NONE)
    shell = next(s for s in scene.surfaces if s.material.name == "silicone")
    eyes = next(s for s in scene.surfaces if s.material.name == "eye")
    half = len(eyes.vertices_mm) // 2
    for pupil in (eyes.vertices_mm[0], eyes.vertices_mm[half]):
        gap = np.linalg.norm(shell.vertices_mm[:, :2] - pupil[:2], axis=1)
        front = shell.vertices_mm[:, 2] < pupil[2] + 20
        assert gap[front].min() > 3.0
    live = ACTORS["live"].build(56).at(0, Prompt.NONE)
    skin = next(s for s in live.surfaces if s.material.name == "skin")
    assert shell.vertices_mm[:, 2].min() < skin.vertices_mm[:, 2].min() - 2.0


def test_masks_are_painted_as_finely_as_skin(built):
    live, mask = built("live"), built("mask-silicone")
    skin = next(s for s in live.at(0, Prompt.NONE).surfaces if s.material.name == "skin")
    shell = next(s for s in mask.at(0, Prompt.NONE).surfaces if s.material.name == "silicone")
    assert skin.reflectance.shape == shell.reflectance.shape
    assert 0.4 < len(shell.triangles) / len(skin.triangles) < 1.6


def test_typical_silicone_spreads_dots_twice_as_far_as_skin_and_a_matched_one_does_not():
    typical, matched, skin = [], [], []
    for seed in range(60, 64):
        for name, kept in (("mask-silicone", typical), ("mask-silicone-matched", matched)):
            scene = ACTORS[name].build(seed, tone=2.0).at(0, Prompt.NONE)
            kept.append(scene.surfaces[0])
            skin += [s.material.dot_r50_mm for s in scene.surfaces if s.material.name == "skin"]
    assert 1.8 < np.median([s.material.dot_r50_mm for s in typical]) / np.median(skin) < 2.8
    assert 0.7 < np.median([s.material.dot_r50_mm for s in matched]) / np.median(skin) < 1.4
    assert 0.3 < np.median([np.median(s.reflectance) for s in matched]) < 0.46
    assert 0.4 < np.median([np.median(s.reflectance) for s in typical]) < 0.6


def test_a_print_holds_somebody_elses_photograph_on_paper_of_real_size(built):
    scene = built("print-a4").at(0, Prompt.NONE)
    paper = next(s for s in scene.surfaces if s.material.name == "paper")
    grid = paper.vertices_mm.reshape(30, 22, 3)
    across = np.linalg.norm(np.diff(grid[15], axis=0), axis=1).sum()
    down = np.linalg.norm(np.diff(grid[:, 11], axis=0), axis=1).sum()
    assert across == pytest.approx(210, rel=0.02)
    assert down == pytest.approx(297, rel=0.03)
    assert np.ptp(paper.reflectance) > 0.4
    assert victim_seed(50) != 50


def test_a_print_has_no_relief_of_a_face(built):
    paper = next(s for s in built("print-a4").at(0, Prompt.NONE).surfaces if s.material.name == "paper")
    left, right = paper.vertices_mm.reshape(30, 22, 3)[:, 4:18][:, [0, -1]].transpose(1, 0, 2)
    middle = paper.vertices_mm.reshape(30, 22, 3)[:, 11]
    assert np.abs(middle - (left + right) / 2).max() < 25


def test_a_screen_is_dark_and_glossy(built):
    glass = next(s for s in built("phone-screen").at(0, Prompt.NONE).surfaces if s.material.name == "cover-glass")
    assert glass.reflectance.max() < 0.05
    assert glass.material.roughness <= 0.03
    assert glass.material.specular_share * np.median(glass.reflectance) == pytest.approx(0.04, rel=0.1)


def test_hand_held_things_turn_when_the_indicator_asks_for_a_turn():
    actor = ACTORS["print-a4"].build(57)
    for slot in range(120):
        scene = actor.at(slot * 33_333, Prompt.TURN_LEFT)
    paper = next(s for s in scene.surfaces if s.material.name == "paper").vertices_mm.reshape(30, 22, 3)
    lean = paper[15, -1] - paper[15, 0]
    assert np.rad2deg(np.arctan2(abs(lean[2]), lean[0])) > 12


def test_every_surface_outline_faces_outwards(built):
    """Signed volume of closed things is positive when triangles run counter-clockwise seen from outside."""
    scene = built("print-a4").at(0, Prompt.NONE)
    hands = [s for s in scene.surfaces if s.material.name == "skin" and len(s.triangles) < 2000]
    assert len(hands) == 2
    for hand in hands:
        p = hand.vertices_mm.astype(np.float64) - hand.vertices_mm.mean(axis=0)
        a, b, c = (p[hand.triangles[:, k]] for k in range(3))
        assert (a * np.cross(b, c)).sum() / 6 > 1e4


def test_a_second_person_stands_beside_the_first(built):
    scene = built("two-people").at(0, Prompt.NONE)
    eyes = [s.vertices_mm.mean(axis=0) for s in scene.surfaces if s.material.name == "eye"]
    assert len(eyes) == 2
    assert abs(eyes[1][0] - eyes[0][0]) > 120


def test_attacks_are_all_actors_but_the_living_nobody_and_the_null_instrument():
    left = set(ACTORS) - {spec.name for spec in attacks()}
    worn = {"live-glasses", "live-hat", "live-make-up", "live-mouth-mask"}
    assert left == {"live", *worn, "two-people", "empty", "null-instrument"}
    assert len({spec.species for spec in attacks()}) == len(attacks()) >= 38


def test_the_species_that_others_name_keep_their_names():
    for name in ("print-a4", "phone-screen", "mask-silicone", "mask-silicone-matched", "mask-press-3200",
                 "mask-press-6800", "mask-press-15600"):  # fmt: skip
        assert name in ACTORS


@pytest.mark.parametrize(("name", "turns"), [("phone-screen", True), ("phone-video", False)])
def test_a_photographs_screen_turns_when_asked_and_a_videos_is_held_still(name, turns):
    actor = ACTORS[name].build(58)
    for slot in range(0, 120, 4):
        scene = actor.at(slot * 33_333, Prompt.TURN_LEFT)
    glass = next(s for s in scene.surfaces if s.material.name == "cover-glass").vertices_mm
    lean = glass[6] - glass[0]
    assert (np.rad2deg(np.arctan2(abs(lean[2]), lean[0])) > 12) == turns


def test_hands_shake_what_they_hold_beyond_their_owners_sway():
    """A held thing moves with its holder's body and with a tremor of its own; a worn one with the head alone."""
    holder = ACTORS["head-plaster"].build(59)
    moves = []
    for slot in range(60):
        scene = holder.at(slot * 33_333, Prompt.NONE)
        moves.append(scene.surfaces[0].vertices_mm.mean(axis=0))
    live = ACTORS["live"].build(59)
    eyes = [
        next(s for s in live.at(slot * 33_333, Prompt.NONE).surfaces if s.material.name == "eye").vertices_mm.mean(axis=0)
        for slot in range(60)
    ]
    fast = [np.diff(np.array(path, np.float64), 2, axis=0).std() for path in (moves, eyes)]
    assert fast[0] > 1.3 * fast[1]


def test_eyes_behind_a_cut_print_are_the_holders_own():
    actor = ACTORS["print-plain-cut"].build(50)
    scene = actor.at(0, Prompt.NONE)
    paper = next(s for s in scene.surfaces if s.material.name == "paper")
    eyes = next(s for s in scene.surfaces if s.material.name == "eye").vertices_mm
    half = len(eyes) // 2
    shown = paper.vertices_mm[np.unique(paper.triangles)]
    free = []
    for pupil in (eyes[0], eyes[half]):
        assert 5 < pupil[2] - shown[np.abs(shown[:, 0] - pupil[0]) < 25][:, 2].mean() < 70
        free.append(np.linalg.norm(shown[:, :2] - pupil[:2], axis=1).min())
    # Faces differ: where one eye stands in the middle of its hole, the other may look past the rim.
    assert max(free) > 1.5 and min(free) > 0.5


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("mask-silicone", 0.04, 0.16), ("mask-silicone-thin", 0.2, 0.6), ("mask-abs", 0.0, 0.01),
     ("null-instrument", 0.7, 1.3)],
)  # fmt: skip
def test_a_mask_lets_through_of_its_wearers_pulse_what_transport_says(name, least, most):
    swings = []
    for who in ("live", name):
        actor = ACTORS[who].build(61, tone=2.0)
        flushes = [actor.at(slot * 33_333, Prompt.NONE).surfaces[0].flush for slot in range(45)]
        swings.append(float(np.median(np.ptp(np.array(flushes), axis=0))))
    assert swings[0] > 5e-5
    assert least <= swings[1] / swings[0] <= most


def test_an_empty_room_has_nobody_in_it():
    for seed in range(50, 58):
        for surface in ACTORS["empty"].build(seed).at(0, Prompt.NONE).surfaces:
            assert surface.vertices_mm[:, 2].min() > 600


def test_a_blink_lowers_the_upper_lid_over_the_pupil(person_of):
    person = person_of(41)
    column = person.units["eyeBlinkLeft"]
    lowered = column.deltas_mm[:, 1].max()
    assert 4 < lowered < 20


def test_two_peoples_skin_pictures_are_not_copies_of_each_other(person_of):
    a, b = (cv2.resize(person_of(seed).skin_reflectance, (64, 64)).ravel() for seed in (41, 42))
    assert np.corrcoef(a, b)[0, 1] < 0.95
