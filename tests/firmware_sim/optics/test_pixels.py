from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.optics.pixels import PixelArray, develop, quantiles


def _pixels(shape=(480, 640), **changes):
    values = {
        "response": np.ones(shape, np.float32),
        "offset_counts": np.zeros(shape, np.float32),
        "black_level_counts": 512.0,
        "read_noise_counts": 50.0,
        "counts_per_electron": 6.4,
        "saturation_counts": 65520.0,
        "step_counts": 16,
    }
    return PixelArray(**{**values, **changes})


def _develop(signal, gain=1.0, seed=1, **changes):
    out = np.zeros((480, 640), np.uint16)
    develop(_pixels(**changes), quantiles(), np.full((480, 640), signal, np.float32), gain, seed, out)
    return out


def test_noise_is_that_of_electrons_and_of_reading():
    for signal in (0.0, 1000.0, 25_600.0):
        frame = _develop(signal).astype(np.float64)
        assert frame.mean() == pytest.approx(512 + signal, abs=4 * frame.std() / np.sqrt(frame.size))
        assert frame.var() == pytest.approx(50**2 + 6.4 * signal + 16**2 / 12, rel=0.02)


def test_noise_is_white_in_space_and_new_for_every_frame():
    a, b = _develop(5000.0, seed=1).astype(float), _develop(5000.0, seed=2).astype(float)
    for pair in ((a[:, :-1], a[:, 1:]), (a[:-1], a[1:]), (a, b), (a[:, :-4], a[:, 4:])):
        assert abs(np.corrcoef(pair[0].ravel(), pair[1].ravel())[0, 1]) < 0.01


def test_the_mean_of_many_pixels_has_the_noise_that_statistics_allows():
    means = [_develop(25_600.0, seed=s)[:100, :100].mean() for s in range(200)]
    # 4 ke- a pixel, 10,000 of them: .016 % of the signal (sensor-physics sheet), and a little for reading
    assert np.std(means) / 25_600 == pytest.approx(0.00016, rel=0.25)


def test_the_same_seed_gives_the_same_noise():
    assert np.array_equal(_develop(3000.0, seed=9), _develop(3000.0, seed=9))


def test_light_beyond_the_well_saturates_and_gain_does_not_bring_it_back():
    assert (_develop(1e6) == 65520).all()
    assert (_develop(60_000.0, gain=2.0) == 65520).all()
    assert _develop(1e6, gain=0.5).max() == pytest.approx(512 + 0.5 * (65520 - 512), abs=16)


def test_gain_multiplies_light_and_its_noise():
    frame = _develop(1000.0, gain=4.0).astype(np.float64)
    assert frame.mean() == pytest.approx(512 + 4000, rel=0.002)
    assert frame.std() == pytest.approx(4 * np.sqrt(50**2 + 6400), rel=0.02)


def test_a_dead_pixel_gives_no_light_and_a_hot_one_too_much():
    response, offset = np.ones((480, 640), np.float32), np.zeros((480, 640), np.float32)
    response[10, 10], offset[20, 20] = 0, 6000
    frame = _develop(10_000.0, response=response, offset_counts=offset)
    assert frame[10, 10] < 1000
    assert frame[20, 20] > 15_000


def test_the_converter_has_steps():
    assert not (_develop(5000.0) % 16).any()
