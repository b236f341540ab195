"""A whole enrollment on each kind of sensor: what it needs, and what it can't have."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from faceward import Host, enroll
from faceward.config import Home
from faceward_sim.rig import build_firmware

pytestmark = pytest.mark.e2e


def _without(home: Home, gate: str) -> Home:
    """The development policy with one gate fewer."""
    parts = re.split(r"(?m)^(?=\[)", home.policy.read_text(encoding="utf-8"))
    left = [part for part in parts if not (part.startswith("[[gates]]") and f'name = "{gate}"' in part)]
    assert len(left) == len(parts) - 1
    home.policy.write_text("".join(left), encoding="utf-8")
    return home


def test_a_live_person_enrolls_on_two_bands_at_the_high_level(
    host_before: Callable[..., Host], bench: object, seed: int
) -> None:
    home = bench.home()  # type: ignore[attr-defined]
    text, changed = re.subn(r'(?m)^level = "standard"', 'level = "high"', home.policy.read_text(encoding="utf-8"))
    assert changed == 1
    home.policy.write_text(text, encoding="utf-8")
    host = host_before(home=home, firmware=build_firmware("sl-850-940", "live", seed))
    enroll(host, "alice")
    assert len(host.templates.list()) == 1


def test_a_live_person_enrolls_by_time_of_flight_without_the_gate_that_needs_dots(
    host_before: Callable[..., Host], bench: object, draw_seed: Callable[[str], int]
) -> None:
    home = _without(bench.home(), "skin-optics")  # type: ignore[attr-defined]
    host = host_before(home=home, firmware=build_firmware("tof-940", "live", draw_seed("a person by time of flight")))
    enroll(host, "alice")
    assert len(host.templates.list()) == 1
