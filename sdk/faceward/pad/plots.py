"""Plots as SVG text, to stand inside a page. Each says that it is simulated where it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO
from statistics import NormalDist
from typing import Any, Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from faceward.pad.detection import WORST, Curve, Histogram
from faceward.pad.intervals import Rate

LIVING_COLOUR: Final = "#1a7f4b"
ATTACK_COLOUR: Final = "#b3392f"
INK: Final = "#222222"
_STYLE: Final = {
    "svg.fonttype": "none",  # text stays text: smaller, and it can be searched
    "svg.hashsalt": "faceward",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.edgecolor": "#888888",
    "axes.spines.top": False,
    "axes.spines.right": False,
}
# DET axes are normal deviates; a share of zero has none and is drawn at the edge.
_EDGE: Final = 0.001
_TICKS: Final = (0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99, 0.999)
_DASHES: Final = ("-", "--", ":", "-.")


def forest_svg(
    rows: Sequence[tuple[str, Rate]], *, what: str, colour: str, reference: float | None = None, simulated: bool
) -> str:
    """A share with its 95 % interval a row, and a dotted line at the reference."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _canvas(0.24 * len(rows), [name for name, _ in rows])
        for place, (_, rate) in enumerate(rows):
            if rate.share is None:
                axes.text(0.5, place, "no response", va="center", color="#888888")
                continue
            axes.plot([rate.low, rate.high], [place, place], color=colour, linewidth=1.6)
            axes.plot([rate.share], [place], "o", color=colour, markersize=5)
        if reference is not None:
            axes.axvline(reference, color="#888888", linewidth=0.8, linestyle=":")
        axes.set_yticks(range(len(rows)), [_plain(name) for name, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        end = min(1.0, 1.1 * max((rate.high for _, rate in rows if rate.trials), default=1.0))
        axes.set_xlim(-0.01 * end, 1.01 * end)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
        beside = "" if reference is None else f"; dotted: {100 * reference:g} %"
        axes.set_xlabel(_said(f"{what}, 95 % interval{beside}", simulated))
        axes.grid(axis="y", color="#eeeeee")
        axes.set_axisbelow(True)
        return _svg(figure, f"{what} with intervals")


def det_svg(curves: Sequence[Curve], *, gate: str, simulated: bool) -> str:
    """A gate's DET curves, on normal deviates, the worst species in black."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _canvas(max(3.7, 0.17 * len(curves)), ["100 %"], right=2.6)  # a name beside it has .167
        colours = matplotlib.colormaps["tab10"].colors  # type: ignore[attr-defined]
        for number, curve in enumerate(curves):
            worst = curve.species == WORST
            axes.plot(
                [_deviate(point.apcer) for point in curve.points],
                [_deviate(point.bpcer) for point in curve.points],
                color=INK if worst else colours[number % len(colours)],
                linewidth=2.2 if worst else 1.1,
                linestyle="-" if worst else _DASHES[number // len(colours) % len(_DASHES)],
                drawstyle="steps-pre",
                zorder=3 if worst else 2,
                label=f"{_plain(curve.species)} ({curve.attacks})",
            )
        places, names = [_deviate(tick) for tick in _TICKS], [f"{100 * tick:g}" for tick in _TICKS]
        names[0], names[-1] = "0", "100"
        axes.set_xticks(places, names)
        axes.set_yticks(places, names)
        axes.set_xlim(_deviate(0), _deviate(1))
        axes.set_ylim(_deviate(0), _deviate(1))
        axes.grid(color="#eeeeee")
        axes.set_xlabel(_said("APCER by this gate's score, %", simulated))
        axes.set_ylabel(f"BPCER, % ({curves[0].living} living)")
        axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False, fontsize=8)
        return _svg(figure, f"DET curves of {gate}")


def histogram_svg(histogram: Histogram, *, simulated: bool) -> str:
    """One row a species, each scaled to its highest bin; the limit that captures were held against is dashed."""
    with matplotlib.rc_context(_STYLE):
        rows = histogram.rows
        names = [f"{row.species} ({sum(row.counts)})" for row in rows]
        figure, axes = _canvas(0.27 * len(rows), names)
        for place, row in enumerate(rows):
            base = len(rows) - 1 - place
            top = max(row.counts) or 1
            colour = ATTACK_COLOUR if row.attack else LIVING_COLOUR
            axes.stairs(
                [base + 0.85 * count / top for count in row.counts],
                histogram.edges, baseline=base, fill=True, color=colour, alpha=0.75,
            )  # fmt: skip
            axes.axhline(base, color="#cccccc", linewidth=0.5)
        for limit in histogram.limits:
            axes.axvline(limit, color=INK, linewidth=1, linestyle="--")
        axes.set_yticks([len(rows) - 1 - place + 0.3 for place in range(len(rows))], list(map(_plain, names)))
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(-0.1, len(rows))
        axes.set_xlim(histogram.edges[0], histogram.edges[-1])
        unit = f", {histogram.unit}" if histogram.unit else ""
        sense = f" (passes {histogram.sense} dashed line)" if histogram.limits else ""
        axes.set_xlabel(_said(f"{histogram.quantity}{unit}{sense}", simulated))
        return _svg(figure, f"{histogram.gate}: {histogram.quantity} by species")


def _canvas(height_in: float, labels: Sequence[str], right: float = 0.25) -> tuple[Figure, Axes]:
    """Axes of a height with room for the labels on their left, in inches: laid out without drawing twice."""
    left, bottom, top, width = 0.35 + 0.068 * max(map(len, labels), default=0), 0.45, 0.08, 7.2 + max(right - 0.25, 0.0)
    total = bottom + height_in + top
    figure = Figure(figsize=(width, total))
    place = (left / width, bottom / total, (width - left - right) / width, height_in / total)
    return figure, figure.add_axes(place)


def _plain(text: str) -> str:
    """Text that matplotlib reads as text: a dollar sign would begin a formula."""
    return text.replace("$", r"\$")


def _said(text: str, simulated: bool) -> str:
    return _plain(f"{text} - simulated" if simulated else text)


def _deviate(share: float) -> float:
    return NormalDist().inv_cdf(min(max(share, _EDGE), 1.0 - _EDGE))


def _svg(figure: Figure, title: str) -> str:
    """The drawing without what belongs into a file of its own."""
    FigureCanvasSVG(figure)
    written = StringIO()
    metadata: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(written, format="svg", metadata=metadata)
    text = written.getvalue()
    body = text[text.index("<svg") :]
    # Many drawings stand in one page: names of groups would collide, and a style in one would hold for all.
    body = re.sub(
        r"<defs>\s*<style.*?</style>\s*</defs>|(?<=<g) id=\"[^\"]*\"|\n\s*", _tightened, body, flags=re.DOTALL
    )
    return body.replace("<svg ", f'<svg role="img" aria-label="{_attribute(title)}" ', 1)


def _tightened(found: re.Match[str]) -> str:
    return " " if found[0].startswith("\n") else ""


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
