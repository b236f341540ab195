"""The console for people, which nothing but Faceward itself drives."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from faceward.cli.output import printable


class PlainConsole(Console):
    """Rich's console; whatever else than text stands in what is shown is shown as a sign for it."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Rich's segments, in which only Rich's own control codes are left."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)
