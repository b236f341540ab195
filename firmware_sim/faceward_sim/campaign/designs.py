"""A file of designs: what a search has found, to be presented by a plan.

[[designs]]
mu_s_reduced_per_mm = 2.4      # every property of `faceward_sim.world.adaptive`; as usual if left out
thickness_mm = 1.8
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from faceward_sim.scene import read_design
from faceward_sim.tables import TableError, read_table, write_table
from faceward_sim.world.adaptive import AdaptiveDesign


def read_designs(path: Path, content: bytes | None = None) -> tuple[AdaptiveDesign, ...]:
    """The designs of a file, or of the bytes that were read from it. Raises TableError, naming file and key."""
    root = read_table(path, content)
    try:
        designs = tuple(read_design(each) for each in root.tables("designs"))
        root.finish()
        if not designs:
            raise root.error("designs", "holds no design; `faceward-sim campaign adapt` finds some")
    except TableError as error:
        raise TableError(f"{path}: {error}") from None
    return designs


def designs_text(designs: Iterable[AdaptiveDesign]) -> str:
    """The file that `read_designs` reads."""
    return write_table({"designs": [asdict(design) for design in designs]})
