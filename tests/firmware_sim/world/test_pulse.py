from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from faceward_sim.firmware.imager import Prompt
from faceward_sim.optics.flood import Emitter, flood_signal
from faceward_sim.optics.geometry import Geometry, Pinhole
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.world.anatomy import load_anatomy
from faceward_sim.world.body import Body
from faceward_sim.world.motion import Mover, Posture
from faceward_sim.world.pulse import DELAY_S, PEAK_TO_PEAK, Heart, draw_perfusion
from faceward_sim.world.surface import SceneState

SEEDS = range(10_100, 10_130)


@pytest.fixture(scope="module")
def perfusions():
    return [draw_perfusion(seed, load_anatomy()) for seed in SEEDS]


def test_a_pulse_is_as_strong_as_the_sheet_says(perfusions):
    strongest = np.array([perfusion.share.max() for perfusion in perfusions])
    least, median, most = PEAK_TO_PEAK
    assert (strongest <= most).all() and (strongest > 0.3 * least).all()
    assert 0.6 * median < np.median(strongest) < 1.6 * median


def test_a_wave_goes_from_none_to_all_and_back_once_a_beat(perfusions):
    for perfusion in perfusions:
        assert perfusion.wave.min() == 0.0 and perfusion.wave.max() == 1.0
        assert perfusion.wave[0] == pytest.approx(perfusion.wave[-1], abs=1e-9)
        assert 0.1 < perfusion.wave.argmax() / len(perfusion.wave) < 0.35


def test_the_wave_comes_to_the_forehead_after_the_chin(perfusions):
    rest = load_anatomy().vertices_mm
    front = (rest[:, 2] < 30) & (np.abs(rest[:, 0]) < 20)
    forehead, chin = front & (rest[:, 1] < -35), front & (np.abs(rest[:, 1] - 85) < 12)
    late = [perfusion.delay_s[forehead].mean() - perfusion.delay_s[chin].mean() for perfusion in perfusions]
    assert min(late) > 0
    assert max(perfusion.delay_s.max() for perfusion in perfusions) <= 1.2 * DELAY_S[1]


def test_a_heart_keeps_its_rate_and_varies_from_beat_to_beat():
    for seed in SEEDS:
        heart = Heart.draw(seed, 1.1, 0.3, 0.25)
        count = np.array([heart.beats(time / 100) for time in range(12_000)])
        assert (np.diff(count) > 0).all()
        assert (count[-1] - count[0]) / 119.99 == pytest.approx(1.1, rel=0.02)
        onsets = np.searchsorted(count, np.arange(np.ceil(count[0]), np.floor(count[-1]))) / 100
        spread = np.std(np.diff(onsets)) * 1.1
        assert 0.004 < spread < 0.08, seed


def test_skin_is_darkest_when_the_blood_has_come(perfusions):
    perfusion = perfusions[0]
    early = perfusion.flush(0.0, 1.0)
    peak = perfusion.flush(perfusion.wave.argmax() / len(perfusion.wave), 1.0)
    quick = perfusion.delay_s < 0.01
    assert (peak[quick] < early[quick]).all()
    assert (peak <= 1).all()


def test_the_flood_frame_shows_the_pulse_and_nothing_more(person_of):
    person = person_of(10_041)
    body, camera = Body(person), Pinhole(640, 480, 554.0, 319.5, 239.5)
    geometry, view = Geometry(), Rasteriser(camera)
    levels = []
    for beats in np.arange(0, 1, 0.1):
        still = Posture((0, 0, 0), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, {}, beats=float(beats), heart_hz=1.0)
        skin = body.surfaces(still, np.array([0, -32, 400], np.float32))[0]
        geometry.load(SceneState((skin,)))
        view.draw(geometry)
        signal = flood_signal(geometry, view, Emitter(0.0, 12.0, 0.1), 2000.0, 0.0, np.zeros((480, 640), np.float32))
        levels.append(signal[180:280, 280:360].mean())
    swing = np.ptp(levels) / np.mean(levels)
    # The mean over the middle of the face, less specular light, of regions that are not in step.
    assert 0.3 * person.perfusion.share.max() < swing <= person.perfusion.share.max()


def test_head_and_skin_beat_by_one_heart():
    mover = Mover(10_105, 400.0)
    postures = [mover.at(time / 30, Prompt.NONE) for time in range(300)]
    beats = [posture.beats for posture in postures]
    assert beats[-1] - beats[0] == pytest.approx(postures[0].heart_hz * 299 / 30, rel=0.05)
    assert all(late > early for early, late in pairwise(beats))
