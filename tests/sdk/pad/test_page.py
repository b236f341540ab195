"""The page stands alone, escapes what it is given, and says what is simulated."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from faceward.errors import ConfigError
from faceward.pad.page import MOST_PICTURES, SHOWN_WIDTH_PX, percent, render_page, write_page
from faceward.pad.presentation import Presentation
from faceward.pad.report import build_report
from faceward.pad.results import About, Results

Make = Callable[..., Presentation]
VOID = {"meta", "br", "img"}


class Outline(HTMLParser):
    """What a page is made of; fails on elements that are not closed in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"h1", "h2", "h3"}:
            self.headings.append(data)


def page_of(folder: Path, *lines: Presentation, about: About | None = None) -> str:
    return render_page(build_report(Results(folder, lines, about or About())), folder)


def some(make: Make, **changes: object) -> list[Presentation]:
    return [make(**changes), make("live", "rejected", **changes), make("mask", "live", **changes),
            make("mask", "inconclusive", **changes), make("print", "not-live", **changes),
            make("print", "failed", **changes)]  # fmt: skip


def test_a_page_fetches_nothing_and_runs_nothing(make: Make, tmp_path: Path) -> None:
    page = page_of(tmp_path, *some(make))
    outline = Outline(page)
    names = {tag for tag, _ in outline.tags}
    assert {"html", "svg", "table"} <= names
    assert not names & {"script", "link", "iframe", "object", "embed", "image"}
    for _, attributes in outline.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/jpeg;base64,"))
    assert "url(http" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_every_section_of_a_simulated_page_says_so(make: Make, tmp_path: Path) -> None:
    page = page_of(tmp_path, *some(make))
    outline = Outline(page)
    assert len(outline.headings) >= 10
    assert all("(simulated)" in heading for heading in outline.headings)
    assert "SIMULATED: 6 of 6 presentations" in page
    assert '@page { @top-left { content: "SIMULATED:' in page, "every printed sheet says so"
    (tallest,) = re.findall(r"svg \{ max-height: (\d+)mm; \}", page)
    assert int(tallest) < 210 - 16 - 10, "no drawing is cut by the edge of a sheet: A4 across, less its margins"
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) >= 5
    assert all("simulated" in drawing for drawing in drawings)


def test_one_simulated_line_marks_the_whole_page(make: Make, tmp_path: Path) -> None:
    page = page_of(tmp_path, *some(make, simulated=False), make("print", "not-live", simulated=True))
    assert "SIMULATED: 1 of 7 presentations" in page
    assert all("(simulated)" in heading for heading in Outline(page).headings)


def test_a_page_of_real_captures_says_nothing_of_a_simulator(make: Make, tmp_path: Path) -> None:
    page = page_of(tmp_path, *some(make, simulated=False))
    assert "SIMULATED" not in page
    assert "simulat" not in page.partition("</style>")[2].lower()


def test_what_was_written_by_others_is_escaped(make: Make, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    lines = [make(), make("mask", "live", replay=evil)]
    page = page_of(tmp_path, *lines, about=About(title=evil, notes=evil))
    assert evil not in page
    assert page.count("&lt;script&gt;") == 4
    Outline(page)


def test_figures_stand_with_their_counts_and_intervals(make: Make, tmp_path: Path) -> None:
    """One of two masks accepted: 50 %, and by the exact interval 1.3 to 98.7 %, and 95 % sure at most 97.5 %."""
    page = page_of(tmp_path, *some(make))
    assert "<b>50.0 %</b> <small>1/2</small></td><td>1.3 % – 98.7 %</td><td>≤ 97.5 %</td>" in page


def test_the_openings_of_the_test_split_stand_on_the_page(make: Make, tmp_path: Path) -> None:
    assert "The test split was opened 1 time." in page_of(tmp_path, *some(make), about=About(test_openings=1))
    assert "The test split was opened 3 times." in page_of(tmp_path, *some(make), about=About(test_openings=3))


def test_pictures_of_accepted_attacks_stand_on_the_page(make: Make, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    strip = np.tile(np.linspace(0, 255, 3840).astype(np.uint8), (480, 1))
    assert cv2.imwrite(str(tmp_path / "pictures/there.png"), strip)
    (tmp_path / "pictures/text.png").write_text("no picture")
    (tmp_path / "pictures/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    (tmp_path / "pictures/huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(3 * 1024 * 1024))
    assert cv2.imwrite(str(tmp_path / "pictures/bomb.png"), np.zeros((8000, 8000), np.uint8))  # 64 kB of 64 million pixels
    names = ("there", "text", "broken", "huge", "bomb", "absent")
    lines = [make("mask", "live", picture=f"pictures/{name}.png") for name in names]
    refused = make("mask", "not-live", picture="pictures/there.png")
    page = page_of(tmp_path, make(), *lines, refused)
    images = [attributes["src"] or "" for tag, attributes in Outline(page).tags if tag == "img"]
    assert len(images) == 1
    content = base64.b64decode(images[0].removeprefix("data:image/jpeg;base64,"))
    shown = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert shown.shape == (480, SHOWN_WIDTH_PX) and len(content) < 64 * 1024
    for row, ends in ((120, (0, 127)), (360, (128, 255))):
        assert np.abs(shown[row].astype(int) - np.linspace(*ends, SHOWN_WIDTH_PX)).max() < 6
    for name in names[1:]:
        assert f"pictures/{name}.png is not in the folder, or no PNG" in page


def test_no_species_hides_anothers_accepted_attacks(make: Make, tmp_path: Path) -> None:
    many = [make("mask", "live") for _ in range(MOST_PICTURES + 5)]
    last = make("print", "live")
    page = page_of(tmp_path, make(), *many, last)
    assert page.count('<div class="card">') == MOST_PICTURES
    assert f"<b>print</b> {last.presentation_id}" in page
    assert f"All {MOST_PICTURES + 6} of them as a list" in page


def test_the_full_system_stands_where_matching_ran(make: Make, tmp_path: Path) -> None:
    lines = some(make, purpose="verify")
    assert "IAPAR" not in page_of(tmp_path, *lines)
    tried = {"match_tried": True, "match_score": 0.9, "match_threshold": 0.4, "purpose": "verify"}
    lines += [make("mask", "live", target_id="a", **tried), make(target_id="b", person_id="b", **tried)]
    page = page_of(tmp_path, *lines)
    assert "<td>1.000</td>" in page
    assert "false rejects, per grant" in page


def test_a_side_that_is_missing_leaves_a_page(make: Make, tmp_path: Path) -> None:
    other = {"sensor_kind": "tof"}
    page = page_of(tmp_path, make(), make("mask", "rejected", **other), make("print", "failed", **other))
    assert "no APCER" in page
    assert "<small>no response: mask, print</small>" in page
    assert "no BPCER" in page
    Outline(page)


def test_the_same_lines_give_the_same_page(make: Make, tmp_path: Path) -> None:
    lines = some(make)
    assert page_of(tmp_path, *lines) == page_of(tmp_path, *reversed(lines))


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "0 %"), (0.0004, "0.04 %"), (0.07, "7.0 %"), (0.5, "50.0 %"), (0.9996, "99.96 %"), (1.0, "100 %"),
     (1 / 30_000, "0.003 %"), (1 - 1 / 30_000, "99.997 %")],
)
def test_a_share_is_told_from_none_and_from_all(share: float, said: str) -> None:
    assert percent(share) == said


def test_a_page_replaces_another_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(path, "one")
    write_page(path, "two")
    assert path.read_text() == "two"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(ConfigError, match="can't be written"):
        write_page(tmp_path / "none" / "report.html", "three")
