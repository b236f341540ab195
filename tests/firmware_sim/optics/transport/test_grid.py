from __future__ import annotations

import io

import numpy as np
import pytest
from faceward_sim.optics.transport.grid import LEVELS, Axis, Grid
from hypothesis import given
from hypothesis import strategies as st

_AXES = (Axis("a", "log", np.array([0.1, 1.0, 10.0])), Axis("b", "root", np.array([0.0, 1.0, 4.0])))


def _grid(values):
    return Grid.of(_AXES, np.asarray(values, np.float64))


def _product():
    a, b = _AXES[0].nodes, _AXES[1].nodes
    return _grid(np.stack([a[:, None] ** 2 * np.exp(-np.sqrt(b)), a[:, None] * np.ones(3)], axis=2))


@given(st.floats(0.1, 10.0), st.floats(0.0, 4.0))
def test_powers_over_logarithms_and_exponentials_over_roots_are_met_anywhere(a, b):
    first, second = _product().at(a, b)
    assert first == pytest.approx(a**2 * np.exp(-np.sqrt(b)), rel=0.01)
    assert second == pytest.approx(a, rel=0.01)


@given(st.lists(st.floats(1e-3, 1e3), min_size=9, max_size=9), st.floats(0.1, 10.0), st.floats(0.0, 4.0))
def test_between_nodes_nothing_leaves_their_values(values, a, b):
    grid = _grid(np.reshape(values, (3, 3, 1)))
    step = (np.log(max(values)) - np.log(min(values))) / LEVELS
    step += 1e-12
    assert min(values) * np.exp(-step) <= grid.at(a, b)[0] <= max(values) * np.exp(step)


@given(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3), st.floats(0.0, 4.0), st.floats(0.0, 4.0))
def test_what_falls_from_node_to_node_falls_between_them(values, one, other):
    falling = sorted(values, reverse=True)
    grid = _grid(np.tile(np.reshape(falling, (1, 3, 1)), (3, 1, 1)))
    low, high = sorted((one, other))
    assert grid.at(0.5, low)[0] >= grid.at(0.5, high)[0] * (1 - 1e-12)


@pytest.mark.parametrize("point", [(0.05, 1.0), (11.0, 1.0), (1.0, 4.1), (1.0, float("nan"))])
def test_outside_the_nodes_is_refused_by_the_axis_name(point):
    with pytest.raises(ValueError, match=r"[ab] is .*; the table reaches from"):
        _product().at(*point)


def test_what_was_written_is_read_again():
    grid, file = _product(), io.BytesIO()
    np.savez_compressed(file, **grid.arrays("g"))
    file.seek(0)
    with np.load(file) as arrays:
        again = Grid.read(arrays, "g")
    assert [(axis.name, axis.scale) for axis in again.axes] == [("a", "log"), ("b", "root")]
    assert np.array_equal(again.at(0.7, 2.2), grid.at(0.7, 2.2))


@pytest.mark.parametrize(
    ("scale", "nodes"), [("cubic", [1, 2]), ("log", [1]), ("log", [2, 1]), ("line", [1, 1])]
)
def test_an_axis_that_does_not_rise_or_has_no_scale_is_refused(scale, nodes):
    with pytest.raises(ValueError, match="axis x"):
        Axis("x", scale, np.array(nodes, np.float64))


def test_values_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="shape"):
        _grid(np.ones((3, 2, 1)))
    with pytest.raises(ValueError, match="finite"):
        _grid(np.full((3, 3, 1), np.nan))
    with pytest.raises(ValueError, match="coordinates"):
        _product().at(1.0)
