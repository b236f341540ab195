from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from faceward_sim.optics.transport.layers import DERMIS_MM, EPIDERMIS_MM, Layer, gap, modified, skin, split
from hypothesis import given
from hypothesis import strategies as st

_layer = st.builds(Layer, st.floats(0.01, 50), st.floats(0, 5), st.floats(0, 60))


@given(st.lists(_layer, min_size=1, max_size=6))
def test_splitting_keeps_every_layers_thickness_and_coefficients(layers):
    finer, origin = split(layers)
    for number, layer in enumerate(layers):
        parts = [part for part, came_from in zip(finer, origin, strict=True) if came_from == number]
        assert math.fsum(part.thickness_mm for part in parts) == pytest.approx(layer.thickness_mm)
        assert {(p.mu_a, p.mu_s_reduced, p.index) for p in parts} == {(layer.mu_a, layer.mu_s_reduced, layer.index)}


@given(st.lists(_layer, min_size=1, max_size=6))
def test_the_phase_function_is_kept_near_every_surface(layers):
    finer, _ = split(layers)
    assert finer[0].anisotropy == layers[0].anisotropy
    for before, after in pairwise(finer):
        if before.mu_s_reduced == 0 and after.mu_s_reduced > 0:
            assert after.anisotropy > 0


def test_skin_is_epidermis_dermis_and_endless_fat():
    epidermis, dermis, subcutis = skin(0.8, 0.04, 2.0)
    assert (epidermis.thickness_mm, dermis.thickness_mm) == (EPIDERMIS_MM, DERMIS_MM)
    assert (epidermis.mu_a, dermis.mu_a) == (0.8, 0.04)
    assert 0 < subcutis.mu_a < dermis.mu_a and subcutis.thickness_mm > 1e6


@pytest.mark.parametrize("wrong", [(0, 0, 1), (1, -1, 1), (1, 0, math.inf), (1, math.nan, 1)])
def test_a_layer_that_can_not_be_is_refused(wrong):
    with pytest.raises(ValueError):
        Layer(*wrong)


def test_the_second_phase_function_keeps_the_mean_cosine_and_leaves_air_alone():
    stack = (*skin(0.5, 0.04, 2.0), gap(1.0))
    for was, now in zip(stack, modified(stack), strict=True):
        assert now.mean_cosine == pytest.approx(was.mean_cosine) == pytest.approx(0.85 if was.mu_s_reduced else 0.0)
        assert (now.cosine_share > 0) is (was.mu_s_reduced > 0)
        assert replace(now, anisotropy=was.anisotropy, cosine_share=0.0) == was
    deep, _ = split(modified(stack))
    assert [layer.cosine_share for layer in deep if layer.anisotropy == 0.0] == [0.0] * 3


def test_a_gap_is_air_that_does_nothing():
    air = gap(2.0)
    assert (air.mu_a, air.mu_s_reduced, air.index) == (0, 0, 1)
    with pytest.raises(ValueError):
        gap(0.0)
