"""Lines that can't be of one test are refused together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from faceward.errors import ConfigError
from faceward.model.liveness import Outcome
from faceward.pad.consistency import check_together
from faceward.pad.presentation import GateLine, Presentation

Make = Callable[..., Presentation]


def gate(version: str) -> tuple[GateLine, ...]:
    return (GateLine("optics", version, Outcome.LIVE, "", None),)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"species": "a", "attack": True, "instrument_id": "i"}, {"species": "a", "attack": False, "instrument_id": None},
         "'a' is said to be attack and living"),
        ({"species": "a"}, {"species": "a", "adaptive": True}, "'a' is said to be adaptive and not"),
        ({"species": "a", "instrument_id": "i"}, {"species": "b", "instrument_id": "i"}, "'i' is of several species"),
        ({"person_id": "p", "tone": "V"}, {"person_id": "p", "tone": "VI"}, "'p' is given several tones"),
        ({"person_id": "p", "split": "dev", "sensor_unit": "u1"}, {"person_id": "p"},
         "'p' is a person_id of several splits"),
        ({"sensor_unit": "u", "split": "dev"}, {"sensor_unit": "u"}, "'u' is a sensor_unit of several splits"),
        ({"species": "a", "instrument_id": "i", "split": "dev", "sensor_unit": "u1"},
         {"species": "a", "instrument_id": "i"}, "'i' is an instrument_id of several splits"),
        ({"policy_sha256": "ab" * 32}, {"policy_sha256": "cd" * 32}, "2 policies were tested"),
        ({"gates": gate("1")}, {"gates": gate("2")}, "gate optics was tested in versions 1, 2"),
    ],
)  # fmt: skip
def test_two_lines_that_contradict_each_other_are_refused(
    make: Make, first: dict[str, Any], second: dict[str, Any], said: str
) -> None:
    lines = [make(**first), make(**second)]
    for order in (lines, lines[::-1]):
        with pytest.raises(ConfigError, match=said):
            check_together(order)


def test_a_gate_that_never_loaded_has_no_version_to_differ_in(make: Make) -> None:
    failed = make("live", "inconclusive", gates=(GateLine("optics", "", Outcome.NOT_EVALUATED, "", None),))
    assert check_together([make(gates=gate("1")), failed]) is None


def grant(make: Make, *outcomes: str, **changes: Any) -> list[Presentation]:
    shared = {"grant_id": "g", "person_id": "p", **changes}
    return [make("live", outcome, attempt=number, **shared) for number, outcome in enumerate(outcomes, 1)]


def test_a_grant_is_tried_again_after_no_answer(make: Make) -> None:
    assert check_together(grant(make, "rejected", "failed", "inconclusive", "live")) is None


@pytest.mark.parametrize("end", ["live", "not-live"])
def test_an_enrollments_grant_ends_with_a_verdict(make: Make, end: str) -> None:
    with pytest.raises(ConfigError, match="goes on after a live or not-live attempt"):
        check_together(grant(make, end, "live"))
    assert check_together(grant(make, end, "live", purpose="verify")) is None


def test_attempts_count_from_one_without_a_gap(make: Make) -> None:
    attempts = grant(make, "rejected", "rejected", "live")
    with pytest.raises(ConfigError, match="has attempts 1, 3; they count from 1"):
        check_together([attempts[0], attempts[2]])


@pytest.mark.parametrize("field", ["person_id", "sensor_unit", "sensor_kind", "target_id", "simulated", "purpose"])
def test_the_attempts_of_a_grant_are_of_one_kind(make: Make, field: str) -> None:
    other = {"simulated": False, "purpose": "verify"}.get(field, "other")
    first = make("live", "rejected", grant_id="g", person_id="p")
    second = make("live", "rejected", attempt=2, grant_id="g", **{"person_id": "p", field: other})
    with pytest.raises(ConfigError, match=f"differ in {field}"):
        check_together([first, second])
