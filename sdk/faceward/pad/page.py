"""The report as one self-contained page."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from faceward.errors import ConfigError
from faceward.pad.cautions import REFERENCE_SHARE
from faceward.pad.detection import Histogram
from faceward.pad.gates import GateReport, GateSpecies
from faceward.pad.journal import replace_file
from faceward.pad.plots import ATTACK_COLOUR, LIVING_COLOUR, det_svg, forest_svg, histogram_svg
from faceward.pad.presentation import CaptureOutcome
from faceward.pad.report import AcceptedAttack, Cue, Part, Reason, Report, Scope, SpeciesReport
from faceward.version import VERSION

MOST_PICTURES: Final = 24  # a scope; more are listed without their pictures
PICTURE_CAP_BYTES: Final = 2 * 1024 * 1024
PICTURE_CAP_PX: Final = 40_000_000  # a strip of 130 frames of 640 x 480
SHOWN_WIDTH_PX: Final = 960  # twice a card's: six key frames in full would make a page of 60 MB
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
        worst_first=worst_first,
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
        shown=_shown,
        by_species=_by_species,
    )
    template = environment.get_template(_TEMPLATE)
    return template.render(
        report=report,
        title=report.about.title or "Presentation attack detection",
        version=VERSION,
        outcomes=[outcome.value for outcome in CaptureOutcome],
        plots=_Plots(report.simulated > 0),
        pictures=_pictures(report, folder),
    )


def write_page(path: Path, page: str) -> None:
    """Put the page into a file, whole or not at all. Raises: ConfigError."""
    try:
        replace_file(path, page.encode())
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror or error}") from None


def percent(share: float) -> str:
    """A share as per cent, in as many digits as it takes to tell it from none and from all."""
    if share == 0.0:
        return "0 %"
    if share == 1.0:
        return "100 %"
    rest, digits = min(share, 1.0 - share), 1 if 0.01 <= share <= 0.99 else 2
    while round(100 * rest, digits) == 0.0 and digits < 12:
        digits += 1
    return f"{100 * share:.{digits}f} %"


@dataclass(frozen=True, slots=True)
class _Plots:
    simulated: bool

    def apcer(self, scope: Scope) -> Markup:
        rows = [(each.species, each.apcer.rate) for each in worst_first(scope)]
        return Markup(
            forest_svg(rows, what="APCER", colour=ATTACK_COLOUR, reference=REFERENCE_SHARE, simulated=self.simulated)
        )

    def bpcer(self, scope: Scope) -> Markup:
        living = scope.living
        rows = [("everybody", living.bpcer.rate)] if living else []
        rows += [(f"tone {part.name}", part.error) for part in living.by_tone] if living else []
        return Markup(forest_svg(rows, what="BPCER", colour=LIVING_COLOUR, simulated=self.simulated))

    def det(self, gate: GateReport) -> Markup:
        return Markup(det_svg(gate.curves, gate=gate.gate, simulated=self.simulated))

    def histogram(self, histogram: Histogram) -> Markup:
        return Markup(histogram_svg(histogram, simulated=self.simulated))


def worst_first(scope: Scope) -> list[SpeciesReport]:
    """Species by APCER; those of which nothing is known come last."""

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


def _by_species(counted: Sequence[Cue] | Sequence[Reason]) -> list[tuple[str, list[Cue | Reason]]]:
    return [(name, list(each)) for name, each in groupby(counted, key=lambda entry: entry.species)]


def _pictures(report: Report, folder: Path) -> Mapping[str, str | None]:
    return {
        each.presentation_id: _picture(folder / each.picture)
        for scope in report.scopes
        for each in _shown(scope)
        if each.picture is not None
    }


def _shown(scope: Scope) -> list[AcceptedAttack]:
    """One of each species, then the second of each, and so on: no species hides another."""
    seen: Counter[str] = Counter()
    turns = []
    for each in scope.accepted:
        turns.append((seen[each.species], each.species, each.presentation_id, each))
        seen[each.species] += 1
    return [each for *_, each in sorted(turns, key=lambda turn: turn[:3])[:MOST_PICTURES]]


def _picture(path: Path) -> str | None:
    """A PNG as JPEG of the page's width, in base64; None where it is none, or too large."""
    try:
        with path.open("rb") as file:
            content = file.read(PICTURE_CAP_BYTES + 1)
    except OSError:
        return None
    if not content.startswith(_PNG) or len(content) > PICTURE_CAP_BYTES:
        return None
    # Its header says how large it is: a few bytes may unpack to gigabytes.
    if int.from_bytes(content[16:20]) * int.from_bytes(content[20:24]) > PICTURE_CAP_PX:
        return None
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    if picture is None:
        return None
    picture = _folded(picture)
    height, width = picture.shape[:2]
    if width > SHOWN_WIDTH_PX:
        size = (SHOWN_WIDTH_PX, max(round(height * SHOWN_WIDTH_PX / width), 1))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 85))
    return base64.b64encode(encoded).decode("ascii")


def _folded(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A strip of four or more frames of 4 to 3 as two rows, so that faces can be made out in a card."""
    height, width = picture.shape[:2]
    frames, rest = divmod(3 * width, 4 * height)
    if rest or frames < 4 or frames % 2:
        return picture
    return np.concatenate([picture[:, : width // 2], picture[:, width // 2 :]])
