"""The report as one self-contained page."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from faceward.pad.detection import Histogram
from faceward.pad.gates import GateReport, GateSpecies
from faceward.pad.plots import ATTACK_COLOUR, LIVING_COLOUR, det_svg, forest_svg, histogram_svg
from faceward.pad.presentation import CaptureOutcome
from faceward.pad.report import Part, Report, Scope, SpeciesReport
from faceward.version import VERSION

MOST_PICTURES: Final = 24  # a scope; more are listed without their pictures
PICTURE_CAP_BYTES: Final = 2 * 1024 * 1024
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_TEMPLATE: Final = "page.html.jinja"


def render_page(report: Report, folder: Path) -> str:
    """The page: HTML with its style, plots and pictures inside, no script and nothing to fetch.

    Pictures of accepted attacks are read from `folder`; one that is missing, no PNG or too large is said to be.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=percent,
        seconds=lambda value: f"{value:.1f} s",
        number=lambda value: "–" if value is None else f"{value:.3f}",
        worst_first=_worst_first,
        worst_parts=lambda species: [part for part in species.by_instrument if part.error.errors],
        clean_parts=lambda species: sum(not part.error.errors for part in species.by_instrument),
        ever_accepted=lambda species: sum(part.error.errors > 0 for part in species.by_instrument),
        always_accepted=lambda species: sum(
            part.error.errors == part.error.trials > 0 for part in species.by_instrument
        ),
        tones=_tones,
        by_tone=_by_tone,
        matched_species=lambda scope: [each for each in scope.species if each.matching is not None],
        of_species=_of_species,
    )
    template = environment.get_template(_TEMPLATE)
    return template.render(
        report=report,
        title=report.about.title or "Presentation attack detection",
        version=VERSION,
        outcomes=[outcome.value for outcome in CaptureOutcome],
        plots=_Plots(report.simulated > 0),
        pictures=_pictures(report, folder),
        most_pictures=MOST_PICTURES,
    )


def percent(share: float) -> str:
    """A share as per cent, in as many digits as it takes to tell a small one from zero."""
    if share == 0.0:
        return "0 %"
    if share < 0.01:
        return f"{100 * share:.2f} %"
    return f"{100 * share:.1f} %" if share < 1.0 else "100 %"


@dataclass(frozen=True, slots=True)
class _Plots:
    simulated: bool

    def apcer(self, scope: Scope) -> Markup:
        rows = [(each.species, each.apcer.rate) for each in _worst_first(scope)]
        return Markup(forest_svg(rows, what="APCER", colour=ATTACK_COLOUR, simulated=self.simulated))

    def bpcer(self, scope: Scope) -> Markup:
        living = scope.living
        rows = [("everybody", living.bpcer.rate)] if living else []
        rows += [(f"tone {part.name}", part.error) for part in living.by_tone] if living else []
        return Markup(forest_svg(rows, what="BPCER", colour=LIVING_COLOUR, simulated=self.simulated))

    def det(self, gate: GateReport) -> Markup:
        return Markup(det_svg(gate.curves, gate=gate.gate, simulated=self.simulated))

    def histogram(self, histogram: Histogram) -> Markup:
        return Markup(histogram_svg(histogram, simulated=self.simulated))


def _worst_first(scope: Scope) -> list[SpeciesReport]:
    def badness(species: SpeciesReport) -> tuple[float, float, str]:
        rate = species.apcer.rate
        return (-1.0 if rate.share is None else rate.share, rate.upper, species.species)

    return sorted(scope.species, key=badness, reverse=True)


def _tones(scope: Scope) -> list[str]:
    return sorted({part.name for species in scope.species for part in species.by_tone})


def _by_tone(species: SpeciesReport, tone: str) -> Part | None:
    return next((part for part in species.by_tone if part.name == tone), None)


def _of_species(gate: GateReport, species: str) -> GateSpecies | None:
    return next((each for each in gate.species if each.species == species), None)


def _pictures(report: Report, folder: Path) -> dict[str, str | None]:
    found = {}
    for scope in report.scopes:
        for place, each in enumerate(scope.accepted):
            wanted = each.picture is not None and place < MOST_PICTURES
            found[each.presentation_id] = _picture(folder / each.picture) if wanted and each.picture else None
    return found


def _picture(path: Path) -> str | None:
    """The file in base64; None where it is no PNG of a size that a page can hold."""
    try:
        with path.open("rb") as file:
            content = file.read(PICTURE_CAP_BYTES + 1)
    except OSError:
        return None
    if not content.startswith(_PNG) or len(content) > PICTURE_CAP_BYTES:
        return None
    return base64.b64encode(content).decode("ascii")
