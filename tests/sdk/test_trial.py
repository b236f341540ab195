"""One grant's captures as lines: what follows what, and that nothing that breaks is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from faceward.config import development_policy
from faceward.errors import ConfigError, DeviceLost, PluginError
from faceward.model.capture import SensorClaim
from faceward.model.liveness import Measure, Outcome
from faceward.pad import CaptureOutcome
from faceward.trial import Presented, SystemUnderTest, _files_of, failed_line, run_trial
from faceward_sim.firmware.chain import GENUINE, start
from faceward_sim.firmware.imager import FactoryIdentity, SensorKind

Desk = Any
ATTACK = Presented(
    grant_id="g-1", attack=True, species="print", person_id="p", instrument_id="i", sensor_kind="sl-940",
    sensor_unit="u", split="dev", simulated=False,
)  # fmt: skip
LIVING = replace(ATTACK, attack=False, species="live", instrument_id=None, tone="2")


@pytest.fixture
def run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a trial over the captures that the desk was told; gives its trials, and keeps the nonces that judge got."""
    nonces: list[bytes | None] = []

    def judge(*args: object, nonce: bytes | None, **options: Any) -> Any:
        nonces.append(nonce)
        return desk.judge(*args, **options)

    monkeypatch.setattr("faceward.trial.judge", judge)
    monkeypatch.setattr("faceward.trial.GateWorker", desk.worker)
    monkeypatch.setattr("faceward.trial.open_sensor", desk.open_sensor)
    monkeypatch.setattr("faceward.trial.load_plugins", lambda policy: SimpleNamespace(drivers=()))
    system = SystemUnderTest(desk.host.policy, desk.host.models)

    def trials(presented: Presented = LIVING, **options: Any) -> list[Any]:
        return list(run_trial(system, presented, **options))

    trials.nonces = nonces  # type: ignore[attr-defined]
    return trials


def outcomes(trials: list[Any]) -> list[str]:
    return [trial.line.outcome.value for trial in trials]


def test_a_grant_goes_on_after_inconclusive_and_rejected_ones_until_it_is_decided(desk: Desk, run: Any) -> None:
    desk.tell(Outcome.INCONCLUSIVE)
    desk.tell(complete=False)
    desk.tell()
    trials = run()
    assert outcomes(trials) == ["inconclusive", "rejected", "live"]
    assert [trial.line.presentation_id for trial in trials] == ["g-1-1", "g-1-2", "g-1-3"]
    assert {trial.line.grant_id for trial in trials} == {"g-1"}
    assert trials[1].line.rejection_reason == "pose-not-reached"
    assert desk.steps == ["worker", "open usb:", *["capture", "worker closed", "worker"] * 2, "capture",
                          "sensor closed", "worker closed"]  # fmt: skip


@pytest.mark.parametrize("last", [Outcome.LIVE, Outcome.NOT_LIVE])
def test_a_decision_ends_the_grant(desk: Desk, run: Any, last: Outcome) -> None:
    desk.tell(last, times=3)
    assert outcomes(run()) == [last.value]


def test_a_grant_has_as_many_captures_as_the_policy_says_or_as_it_is_told(desk: Desk, run: Any) -> None:
    desk.tell(Outcome.INCONCLUSIVE, times=9)
    assert len(run()) == desk.host.policy.attempts.captures_per_grant == 3
    assert len(run(captures=1)) == 1


def test_a_line_says_what_the_gates_said_and_under_which_policy(desk: Desk, run: Any) -> None:
    identity = FactoryIdentity("Ward", "SL-940", "W-1", "1.2.0", "B", SensorKind.STRUCTURED_LIGHT, ())
    desk.claim = SensorClaim("faceward.sensor.v1", start(identity, GENUINE).chain)
    desk.tell(Outcome.NOT_LIVE)
    (trial,) = run(ATTACK)
    line = trial.line
    assert [(gate.gate, gate.outcome.value, gate.cue) for gate in line.gates] == [
        ("flatness", "live", "relief"), ("skin-optics", "not-live", "dot spread"),
    ]  # fmt: skip
    assert line.policy_sha256 == desk.host.policy.hash.hex() and line.decision_s == 3.0
    assert line.simulated  # the sensor's root says so, whatever the caller thinks
    assert (line.species, line.instrument_id, line.attempt) == ("print", "i", 1)


def test_an_error_is_a_line_with_its_code_and_ends_the_grant(desk: Desk, run: Any) -> None:
    desk.tell(Outcome.INCONCLUSIVE)
    desk.captures += [DeviceLost("unplugged"), RuntimeError("torn")]
    trials = run()
    assert outcomes(trials) == ["inconclusive", "failed"]
    assert trials[1].line.error_code == "device-lost" and "unplugged" in trials[1].error
    (torn,) = run()
    assert torn.line.error_code == "exception RuntimeError" and "torn" in torn.error


def test_a_sensor_that_does_not_open_is_a_line(desk: Desk, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> object:
        raise DeviceLost("gone")

    monkeypatch.setattr("faceward.trial.open_sensor", refuse)
    (trial,) = run()
    assert (trial.line.attempt, trial.line.error_code) == (1, "device-lost")
    assert desk.steps == ["worker", "worker closed"]


def test_what_breaks_after_the_decision_adds_no_line(desk: Desk, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Sticking:
        info = desk.info
        claim = desk.claim

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *raised: object) -> None:
            raise DeviceLost("while closing")

    desk.tell()
    monkeypatch.setattr("faceward.trial.open_sensor", lambda *args, **options: Sticking())
    assert outcomes(run()) == ["live"]


def test_a_failure_before_a_simulator_is_a_simulators_whatever_the_caller_thinks(desk: Desk, run: Any) -> None:
    identity = FactoryIdentity("Ward", "SL-940", "W-1", "1.2.0", "B", SensorKind.STRUCTURED_LIGHT, ())
    desk.claim = SensorClaim("faceward.sensor.v1", start(identity, GENUINE).chain)
    desk.captures += [DeviceLost("unplugged")]
    (trial,) = run(ATTACK)
    assert trial.line.outcome is CaptureOutcome.FAILED and trial.line.simulated


def test_what_a_gate_says_beyond_a_line_is_cut_and_costs_no_outcome(desk: Desk, run: Any) -> None:
    desk.tell()
    judged = desk.captures.pop()
    first, *others = judged.verdict.results
    measure = Measure("m" * 2000, 1e300, "mm", 1.0, ">=")
    evidence = replace(first.evidence, cue="c" * 5000 + "\ud800", measures=(measure,))
    results = (replace(first, evidence=evidence), *others)
    desk.captures.append(replace(judged, verdict=replace(judged.verdict, results=results)))
    (trial,) = run()
    (told,) = trial.line.gates[0].measures
    assert trial.line.outcome is CaptureOutcome.LIVE
    assert (len(told.name), told.value, len(trial.line.gates[0].cue)) == (1000, None, 1000)


def test_a_line_that_can_not_be_made_is_a_failure_of_its_own_attempt(
    desk: Desk, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(*args: object, **measured: object) -> object:
        raise ConfigError("no line")

    desk.tell(Outcome.INCONCLUSIVE)
    monkeypatch.setattr("faceward.trial._line", torn)
    (trial,) = run()
    assert (trial.line.attempt, trial.line.error_code) == (1, "config")


def test_an_interrupt_is_no_result(desk: Desk, run: Any) -> None:
    desk.captures = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        run()
    assert desk.steps[-1] == "worker closed"


def test_nonces_are_fresh_unless_they_are_given(desk: Desk, run: Any) -> None:
    desk.tell(Outcome.INCONCLUSIVE, times=4)
    run(captures=2)
    run(captures=2, nonces=lambda attempt: bytes([attempt]) * 16)
    assert run.nonces == [None, None, bytes([1]) * 16, bytes([2]) * 16]


def test_an_accepted_attack_is_pictured_and_nobody_else(desk: Desk, run: Any) -> None:
    desk.tell(times=2)
    (attack,), (living,) = run(ATTACK), run(LIVING)
    assert attack.line.picture == "pictures/g-1-1.png"
    assert cv2.imdecode(np.frombuffer(attack.picture, np.uint8), cv2.IMREAD_GRAYSCALE).shape == (1, 2)
    assert living.line.picture is None and living.picture is None


def test_a_failure_around_a_trial_is_a_line_of_its_form() -> None:
    line = failed_line(ATTACK, 2, "worker died: «9»", policy_sha256=None)
    assert (line.outcome, line.attempt) == (CaptureOutcome.FAILED, 2)
    assert line.error_code == "worker died   9 "


def test_the_frozen_digest_follows_policy_gates_and_what_decides_of_the_sdk_and_nothing_else(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest(policy: bytes) -> str:
        path = tmp_path / "policy.toml"
        path.write_bytes(policy)
        return SystemUnderTest.open(path, models_folder=None).frozen_digest()

    packaged = development_policy()
    first = digest(packaged)
    assert digest(packaged) == first == SystemUnderTest.open().frozen_digest()
    assert digest(packaged + b"# another byte\n") != first
    changed = {}

    def files_of(package: str) -> list[tuple[str, bytes]]:
        return [(name, changed.get(name, content)) for name, content in _files_of(package)]

    monkeypatch.setattr("faceward.trial._files_of", files_of)
    assert digest(packaged) == first
    for name in ("faceward_gates/flatness.py", "faceward/capture/exposure.py", "faceward/judgement.py"):
        changed = {name: b"other"}
        assert digest(packaged) != first, name
    changed = {"faceward/cli/output.py": b"other", "faceward/store/attempts.py": b"other"}
    assert digest(packaged) == first


def test_a_gate_that_is_not_installed_has_no_digest(desk: Desk) -> None:
    absent = replace(desk.host.policy.gates[0], distribution="faceward-nothing")
    system = SystemUnderTest(replace(desk.host.policy, gates=(absent,)), desk.host.models)
    with pytest.raises(PluginError, match="faceward-nothing is not installed"):
        system.frozen_digest()
