"""Whatever goes wrong in an enrollment ends in one typed error; the attempt is spent, and nothing is stored."""

from __future__ import annotations

import random
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from faceward.capture.events import CaptureStarted, Progress, StageDone
from faceward.config import Home
from faceward.enrollment import AttemptBegun, GrantAccepted, enroll
from faceward.errors import (
    CaptureCancelled,
    CaptureRejected,
    ConfigError,
    DeviceBusy,
    DeviceFault,
    DeviceLost,
    DeviceNotFound,
    DeviceProtocolError,
    DeviceTimeout,
    DuplicateSubject,
    EnrollmentRefused,
    FacewardError,
    LivenessInconclusive,
    LockedOut,
    NotLive,
    StoreError,
    SubjectUnknown,
    VerificationError,
)
from faceward.host import Host
from faceward.liveness.evaluate import GATE_FAILED
from faceward.model.liveness import Outcome
from faceward.signing.file_kek import FileKeyProvider
from faceward.signing.file_key import FileKeySigner
from faceward.store.subjects import parse_subject
from faceward.verification import stored_record, verify
from faceward_sim.firmware.device import Firmware

pytestmark = pytest.mark.e2e

HostBefore = Callable[..., Host]
Promise = Callable[..., None]


def refused_at_last(host: Host, *errors: type[FacewardError]) -> tuple[FacewardError, list[str]]:
    """How the first enrollment ends whose capture was fit to be judged, and a "rejected" for each before it."""
    rejected: list[str] = []
    for _ in range(3):
        try:
            enroll(host, "alice", retries=False)
        except CaptureRejected:
            rejected.append("rejected")
        except errors as error:
            return error, rejected
        else:
            pytest.fail("enrolled")
    pytest.fail("nobody stands so badly three times")


class _Stop(Exception):
    """What a caller's handler raises."""


def raising(error: BaseException, at: type) -> Callable[[object], None]:
    """A handler that raises at the first event of a type."""

    def handler(event: object) -> None:
        if isinstance(event, at):
            raise error

    return handler


# The sensor


@pytest.mark.parametrize("slot", [0, 1, 9, 45, 100, None])
def test_a_sensor_that_is_unplugged_is_lost_and_stores_nothing(
    host_before: HostBefore, keeps_the_promise: Promise, sitter: Firmware, slot: int | None
) -> None:
    slot = random.SystemRandom().randrange(2, 120) if slot is None else slot
    print(f"unplugged at slot {slot}")
    host = host_before(firmware=sitter, faults=[f"unplug:{slot}"])

    with pytest.raises(DeviceLost):
        enroll(host, "alice")

    keeps_the_promise(host, attempts=["failed"])
    with pytest.raises(DeviceNotFound):
        enroll(host, "alice")
    keeps_the_promise(host, attempts=["failed"])


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("silent:0", DeviceTimeout),
        ("silent:5", DeviceTimeout),
        ("silent-depth:3", DeviceTimeout),
        ("zero-depth:0", DeviceFault),
        ("stuck:4", DeviceFault),
        ("overheat:4", DeviceFault),
        ("brown-out:4", DeviceLost),
        ("counter-reset:4", DeviceProtocolError),
        ("clock-reset:4", DeviceProtocolError),
        ("lost-frame:4", DeviceProtocolError),
        ("duplicate-frame:4", DeviceProtocolError),
        ("short-frame:4", DeviceProtocolError),
        ("garbage-metadata:4", DeviceProtocolError),
        ("wrong-config-hash:0", DeviceProtocolError),
    ],
)
def test_a_sensor_that_fails_in_the_field_ends_in_its_own_error(
    host_before: HostBefore, keeps_the_promise: Promise, sitter: Firmware, fault: str, error: type[Exception]
) -> None:
    host = host_before(firmware=sitter, faults=[fault])

    with pytest.raises(error):
        enroll(host, "alice")

    keeps_the_promise(host, attempts=["failed"])


def test_a_sensor_that_another_program_has_costs_no_attempt(
    host_before: HostBefore, keeps_the_promise: Promise, sitter: Firmware
) -> None:
    host = host_before(firmware=sitter, faults=["busy"])

    with pytest.raises(DeviceBusy):
        enroll(host, "alice")

    keeps_the_promise(host, attempts=[])


def test_an_empty_room_is_rejected_on_every_try_of_the_grant_and_never_called_a_detection(
    host_before: HostBefore, keeps_the_promise: Promise
) -> None:
    host = host_before("empty", 3)

    with pytest.raises(CaptureRejected) as refused:
        enroll(host, "alice")

    assert refused.value.reason == "no-face"
    keeps_the_promise(host, attempts=["rejected"] * host.policy.attempts.captures_per_grant)


# The caller


def test_ctrl_c_in_the_middle_spends_the_attempt_and_stops_the_sensor(
    host_before: HostBefore, keeps_the_promise: Promise, sitter: Firmware
) -> None:
    host = host_before(firmware=sitter)

    def interrupt(event: object) -> None:
        if isinstance(event, StageDone):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        enroll(host, "alice", on_event=interrupt)

    keeps_the_promise(host, attempts=["cancelled"])


def test_a_handler_that_cancels_spends_the_attempt_and_gets_no_other(
    host_before: HostBefore, keeps_the_promise: Promise, sitter: Firmware
) -> None:
    host = host_before(firmware=sitter)

    with pytest.raises(CaptureCancelled):
        enroll(host, "alice", on_event=raising(CaptureCancelled("enough"), Progress))

    keeps_the_promise(host, attempts=["cancelled"])


@pytest.mark.parametrize(
    ("at", "attempts"), [(GrantAccepted, []), (AttemptBegun, ["failed"]), (CaptureStarted, ["failed"])]
)
def test_a_handler_that_raises_ends_the_attempt_with_its_own_error(
    host_before: HostBefore, keeps_the_promise: Promise, sitter: Firmware, at: type, attempts: list[str]
) -> None:
    host = host_before(firmware=sitter)

    with pytest.raises(_Stop):
        enroll(host, "alice", on_event=raising(_Stop(), at))

    keeps_the_promise(host, attempts=attempts)


@pytest.mark.parametrize("name", ["../alice", "/etc/passwd", "a/b", "a\\b", "..", "", "a\0b", "-rf", "a" * 65, "ä"])
def test_a_name_that_is_none_is_a_config_error_before_anything_opens(
    tmp_path: Path, bench, host_in: Callable[[Home], Host], keeps_the_promise: Promise, name: str
) -> None:
    with host_in(bench.home()) as host:
        with pytest.raises(ConfigError):
            enroll(host, name)
        with pytest.raises(ConfigError):
            verify(host, name)
        keeps_the_promise(host, attempts=[])


def test_five_refusals_lock_enrollment_and_a_new_start_does_not_unlock_it(
    bench, sitter: Firmware, keeps_the_promise: Promise
) -> None:
    home, now_s = bench.home(), [1_800_000_000.0]
    host = bench.host_before(firmware=sitter, home=home, clock=lambda: now_s[0])
    for _ in range(5):
        with pytest.raises(_Stop):
            enroll(host, "alice", on_event=raising(_Stop(), AttemptBegun))
        now_s[0] += 10.0

    with pytest.raises(LockedOut) as locked:
        enroll(host, "bob")
    assert locked.value.retry_after_s == 80.0
    host.backend.close()
    host.close()

    again = bench.host_before(firmware=sitter, home=home, clock=lambda: now_s[0])
    with pytest.raises(LockedOut):
        enroll(again, "alice")
    now_s[0] += 80.0
    with pytest.raises(_Stop):
        enroll(again, "alice", on_event=raising(_Stop(), AttemptBegun))
    assert again.templates.list() == ()
    assert [entry.details["result"] for entry in again.audit.entries()] == ["failed"] * 6


# Gates


GATE = """
import time
from faceward.plugin import Evidence, GateSession, LivenessGate, Outcome, Requirements, hookimpl

class Session(GateSession):
    covered = frozenset()

    def observe(self, frame_set, face):
        self.covered |= set(frame_set.digests)

    def conclude(self):
        {conclude}

class Gate(LivenessGate):
    name = "{name}"
    version = "1"

    def requirements(self, sensor):
        return Requirements()

    def thresholds(self):
        return {{}}

    def open(self, context):
        return Session()

@hookimpl
def faceward_gate():
    return Gate()
"""

NAMED = """
[[gates]]
name = "{name}"
distribution = "{name}-gates"
version = "1.0"
"""


@dataclass
class Toys:
    """Installs gates for one test, beside ours."""

    folder: Path
    add: Callable[[str], None]

    def install(self, home: Home, conclusions: dict[str, str]) -> None:
        policy = home.policy.read_text().replace("gate_timeout_s = 5.0", "gate_timeout_s = 2.0")
        for name, conclude in conclusions.items():
            info = self.folder / f"{name}_gates-1.0.dist-info"
            info.mkdir(parents=True)
            (self.folder / f"{name}_gate.py").write_text(GATE.format(name=name, conclude=conclude))
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-gates\nVersion: 1.0\n")
            (info / "entry_points.txt").write_text(f"[faceward.plugins.v1]\n{name} = {name}_gate\n")
            policy += NAMED.format(name=name)
        self.add(str(self.folder))
        home.policy.write_text(policy)


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toys:
    return Toys(tmp_path / "site", monkeypatch.syspath_prepend)


# How a gate breaks, and what is said of it. Whatever one of them says, each of the others must be waited for or told.
BROKEN = {
    "raising": ("raise RuntimeError('the model file is gone')", "the model file is gone"),
    "silent": ("return None", "answered with"),
    "waiting": ("time.sleep(60)", "did not answer in time"),
}


def test_gates_that_break_refuse_somebody_whom_every_other_gate_finds_alive(
    bench, sitter: Firmware, keeps_the_promise: Promise, toys: Toys
) -> None:
    home = bench.home()
    toys.install(home, {name: conclude for name, (conclude, _) in BROKEN.items()})
    host = bench.host_before(firmware=sitter, home=home)
    refused, rejected = refused_at_last(host, LivenessInconclusive)

    assert refused.verdict is not None
    results = {each.gate: each.evidence for each in refused.verdict.results}
    for name, (_, said) in BROKEN.items():
        assert results[name].outcome is Outcome.INCONCLUSIVE
        assert results[name].cue == GATE_FAILED
        assert said in results[name].reason
    others = {name: evidence.outcome for name, evidence in results.items() if name not in BROKEN}
    assert set(others) == {"challenge-echo", "continuity", "flatness", "skin-optics"}
    assert set(others.values()) == {Outcome.LIVE}
    keeps_the_promise(host, attempts=[*rejected, "inconclusive"], grants=len(rejected) + 1)


# The store and its keys


def test_a_store_that_is_no_database_is_a_store_error(bench, host_in: Callable[[Home], Host]) -> None:
    home = bench.home()
    home.store.write_bytes(random.randbytes(8192))
    with pytest.raises(StoreError):
        host_in(home)

    other = bench.home()
    other.store.mkdir()
    with pytest.raises(StoreError):
        host_in(other)


def test_a_store_that_somebody_else_holds_stores_nothing_and_the_attempt_stays_a_refusal(
    bench,
    sitter: Firmware,
    attempts_of: Callable[[Host], list[str | None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("faceward.store.database.LOCK_WAIT_S", 0.05)
    home = bench.home()
    host = bench.host_before(firmware=sitter, home=home)
    holder = sqlite3.connect(home.store, isolation_level=None)

    def hold(event: object) -> None:
        if isinstance(event, CaptureStarted):
            holder.execute("BEGIN EXCLUSIVE")
            raise _Stop

    with pytest.raises(StoreError):
        enroll(host, "alice", on_event=hold)
    holder.execute("ROLLBACK")
    holder.close()

    assert host.templates.list() == ()
    assert attempts_of(host) == [None]
    assert host.audit.verify_chain() == 0
    assert not host.backend.sensors[0].firmware.streaming


def test_a_store_with_another_key_is_refused_when_it_is_opened(
    enrolled_home: Home, host_in: Callable[[Home], Host]
) -> None:
    (enrolled_home.keys / "store.kek").unlink()
    FileKeyProvider.create(enrolled_home.keys / "store.kek")
    with pytest.raises(StoreError, match="another key"):
        host_in(enrolled_home)


@pytest.mark.parametrize("column", ["pseudonym", "record_id", "wrapped_key", "sealed_name", "sealed_envelope"])
def test_a_template_with_one_flipped_byte_verifies_nobody(
    enrolled_home: Home, host_in: Callable[[Home], Host], column: str
) -> None:
    with sqlite3.connect(enrolled_home.store) as connection:
        value = bytearray(connection.execute(f"SELECT {column} FROM templates").fetchone()[0])
        at = random.SystemRandom().randrange(len(value))
        print(f"byte {at} of {len(value)}")
        value[at] ^= 1 << random.SystemRandom().randrange(8)
        connection.execute(f"UPDATE templates SET {column} = ?", (bytes(value),))
    connection.close()

    with host_in(enrolled_home) as host, pytest.raises(StoreError) as refused:
        verify(host, "alice")
    # Nobody is found under a pseudonym that isn't theirs; all else is damage.
    assert (refused.type is SubjectUnknown) == (column == "pseudonym")


def test_an_envelope_with_one_flipped_byte_is_refused_though_the_store_s_key_sealed_it(
    enrolled_home: Home, host_in: Callable[[Home], Host]
) -> None:
    alice = parse_subject("alice")
    with host_in(enrolled_home) as host:
        stored = host.templates.get(alice)
        assert stored_record(host, "alice").record_id == stored.record_id
        for at in random.SystemRandom().sample(range(len(stored.envelope)), 40):
            changed = bytearray(stored.envelope)
            changed[at] ^= 0x10
            host.templates.remove(alice)
            host.templates.add(alice, bytes(changed), record_id=stored.record_id, stored_at_s=stored.stored_at_s)
            with pytest.raises(VerificationError):
                stored_record(host, "alice")


def test_a_record_that_another_host_signed_is_refused(enrolled_home: Home, host_in: Callable[[Home], Host]) -> None:
    (enrolled_home.keys / "signer.pem").unlink()
    FileKeySigner.create(enrolled_home.keys / "signer.pem")
    with host_in(enrolled_home) as host, pytest.raises(VerificationError):
        verify(host, "alice")


def test_who_is_enrolled_already_is_refused_before_a_sensor_is_looked_for(
    enrolled_home: Home, host_in: Callable[[Home], Host], attempts_of: Callable[[Host], list[str | None]]
) -> None:
    with host_in(enrolled_home) as host:
        before = host.templates.list(), attempts_of(host)
        with pytest.raises(DuplicateSubject):
            enroll(host, "alice")
        with pytest.raises(DeviceNotFound):
            enroll(host, "bob")
        with pytest.raises(SubjectUnknown):
            verify(host, "bob")
        assert (host.templates.list(), attempts_of(host)) == before


def test_every_refusal_is_an_error_with_a_code_of_its_own() -> None:
    kinds = [
        CaptureRejected, CaptureCancelled, NotLive, LivenessInconclusive, LockedOut, DuplicateSubject, DeviceLost,
        DeviceTimeout, DeviceFault, DeviceProtocolError, StoreError, VerificationError, ConfigError,
    ]  # fmt: skip
    assert len({kind.exit_code for kind in kinds}) == len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.exit_code > 1 for kind in kinds)
    assert issubclass(NotLive, EnrollmentRefused)
