"""Drawings that stand inside a page."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from faceward.pad.detection import Histogram, HistogramRow, curves
from faceward.pad.intervals import Rate
from faceward.pad.plots import det_svg, forest_svg, histogram_svg

SVG = "{http://www.w3.org/2000/svg}"


def texts(drawing: str) -> list[str]:
    return ["".join(each.itertext()) for each in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


def path_of(drawing: str, colour: str) -> list[tuple[float, float]]:
    """The corners of the widest line in this colour."""
    found = [
        each.attrib["d"]
        for each in ElementTree.fromstring(drawing).iter(f"{SVG}path")
        if f"stroke: {colour}" in each.attrib.get("style", "") and "fill: none" in each.attrib["style"]
    ]
    lines = [[(float(x), float(y)) for x, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", each)] for each in found]
    return max(lines, key=lambda corners: max(x for x, _ in corners) - min(x for x, _ in corners))


def test_shares_stand_by_their_names() -> None:
    drawing = forest_svg([("mask", Rate(1, 20)), ("print", Rate(0, 0))], what="APCER", colour="#b3392f", simulated=True)
    assert {"mask", "print", "no response", "APCER, 95 % interval - simulated"} <= set(texts(drawing))
    drawing = forest_svg([("mask", Rate(1, 20))], what="APCER", colour="#b3392f", reference=0.07, simulated=False)
    assert "APCER, 95 % interval; dotted: 7 %" in texts(drawing)


def test_nothing_in_a_row_of_shares_still_draws() -> None:
    assert "no response" in texts(forest_svg([("a", Rate(0, 0))], what="BPCER", colour="#1a7f4b", simulated=False))


def test_a_curve_never_promises_more_than_a_threshold_gives() -> None:
    """From one threshold to the next the line first rises to what the next one refuses, and only then moves left."""
    drawing = det_svg(curves({"mask": [1.0, 2.0]}, [1.0, 2.0]), gate="optics", simulated=True)
    corners = path_of(drawing, "#222222")
    assert len(corners) > 3
    for (x, y), (next_x, next_y) in pairwise(corners):
        assert next_x <= x
        assert next_y <= y, "the page's y grows downwards"
        assert next_x == x or next_y == y
    assert corners[0][0] == corners[1][0], "the first step is up"
    assert {"worst species (2)", "mask (2)", "APCER by this gate's score, % - simulated"} <= set(texts(drawing))


def test_every_curve_is_named_inside_the_drawing() -> None:
    masks = {f"mask-{number:02}": [1.0, 2.0] for number in range(40)}
    drawing = ElementTree.fromstring(det_svg(curves(masks, [1.0, 2.0]), gate="optics", simulated=True))
    named = {each.text: float(each.attrib["y"]) for each in drawing.iter(f"{SVG}text") if "mask-" in (each.text or "")}
    assert set(named) == {f"{name} (2)" for name in masks}
    assert max(named.values()) < float(drawing.attrib["viewBox"].split()[3])


@pytest.mark.parametrize("limits", [(), (1.5,)])
def test_a_histogram_names_species_measure_and_limit(limits: tuple[float, ...]) -> None:
    rows = (HistogramRow("live", False, (0, 3)), HistogramRow("mask", True, (0, 0)))
    drawing = histogram_svg(Histogram("optics", "spread", "mm", ">=", limits, (0.0, 1.0, 2.0), rows), simulated=True)
    said = "spread, mm (passes >= dashed line) - simulated" if limits else "spread, mm - simulated"
    assert {"live (3)", "mask (0)", said} <= set(texts(drawing))


def test_text_is_no_formula_and_no_markup() -> None:
    rows = (HistogramRow("live", False, (0, 3)),)
    odd = Histogram('<i>"g"</i>', "$x$ <b> & y", "", "<=", (), (0.0, 1.0, 2.0), rows)
    drawing = histogram_svg(odd, simulated=False)
    assert "$x$ <b> & y" in texts(drawing)
    assert ElementTree.fromstring(drawing).attrib["aria-label"] == '<i>"g"</i>: $x$ <b> & y by species'


def test_many_drawings_can_stand_in_one_page() -> None:
    drawing = forest_svg([("mask", Rate(1, 20))], what="APCER", colour="#b3392f", simulated=True)
    assert "<style" not in drawing
    assert not re.search(r"<g [^>]*id=", drawing)
    assert drawing == forest_svg([("mask", Rate(1, 20))], what="APCER", colour="#b3392f", simulated=True)
