"""The verifying example: by a signed trust store as in a lock, and by keys as on a bench."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ingredients(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The conformance suite's keys, records and stores."""
    monkeypatch.syspath_prepend(str(ROOT / "proto/conformance"))
    import ingredients

    return ingredients


@pytest.fixture
def folder(ingredients: ModuleType, tmp_path: Path) -> Path:
    """A template of a vendor's sensor and one of a simulator's, both of now; a trust store; the keys."""
    now_s = int(time.time())
    times = {"issued_at_s": now_s - 60, "expires_at_s": now_s + 3600}
    permission = ingredients.grant(**times)
    (tmp_path / "template").write_bytes(ingredients.record(permission=permission, **times))
    simulated = ingredients.attested(
        ingredients.record_message(ingredients.grant(ingredients.HOST, development=True, **times), **times),
        ingredients.SIMULATOR,
        simulated=True,
    )
    (tmp_path / "simulated").write_bytes(ingredients.seal(simulated, ingredients.TEMPLATE_TYPE, ingredients.HOST))
    (tmp_path / "trust").write_bytes(ingredients.trust(**times))
    for key, name in ((ingredients.ROOT, "root.pem"), (ingredients.HOST, "host.pem")):
        (tmp_path / name).write_bytes(key.public.to_pem())
    return tmp_path


def _verify(folder: Path, template: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples/verify_template.py"), template, *options],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_lock_with_a_signed_trust_store_trusts_an_attested_template(folder: Path, ingredients: ModuleType) -> None:
    kept = ("--minimum-sequence", "300", "--epoch", "4")
    done = _verify(folder, "template", "--trust", "trust", "--root", "root.pem", *kept)
    assert done.returncode == 0, done.stderr
    assert ingredients.SENSOR.device_key.public.key_id[:16] in done.stdout
    assert ingredients.grant_message().grant_id.hex() in done.stdout


@pytest.mark.parametrize(
    ("template", "options", "kind"),
    [
        ("template", ("--minimum-sequence", "301"), "rolled-back"),
        ("template", ("--epoch", "5"), "revoked"),
        ("template", ("--root", "host.pem"), "signature-invalid"),
        ("simulated", (), "untrusted-sensor"),
        ("trust", (), "unsupported-record"),
    ],
)
def test_it_says_why_it_refuses(folder: Path, template: str, options: tuple[str, ...], kind: str) -> None:
    done = _verify(folder, template, "--trust", "trust", "--root", "root.pem", *options)
    assert done.returncode == 1
    assert f"refused ({kind})" in done.stderr


def test_a_grant_that_was_taken_is_refused(folder: Path, ingredients: ModuleType) -> None:
    taken = ingredients.grant_message().grant_id.hex()
    done = _verify(folder, "template", "--trust", "trust", "--root", "root.pem", "--grant-seen", taken)
    assert (done.returncode, "grant-used" in done.stderr) == (1, True)


def test_a_bench_takes_the_simulator_only_when_told(folder: Path) -> None:
    bench = ("--host-key", "host.pem", "--tenant", "acme", "--lock-group", "doors.north")
    assert _verify(folder, "simulated", *bench).returncode == 1
    assert _verify(folder, "simulated", *bench, "--development").returncode == 1
    done = _verify(folder, "simulated", *bench, "--development", "--simulated")
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in done.stdout


@pytest.mark.parametrize("options", [(), ("--trust", "trust"), ("--host-key", "host.pem", "--root", "root.pem")])
def test_whom_to_trust_must_be_said(folder: Path, options: tuple[str, ...]) -> None:
    assert _verify(folder, "template", *options).returncode == 2


def test_the_locks_own_tenant_and_group_are_asked_of_a_trust_store(folder: Path) -> None:
    signed = ("--trust", "trust", "--root", "root.pem")
    assert _verify(folder, "template", *signed, "--tenant", "acme", "--lock-group", "doors.north").returncode == 0
    for other in (("--tenant", "somebody-else"), ("--lock-group", "another-door")):
        done = _verify(folder, "template", *signed, *other)
        assert (done.returncode, "refused (wrong-context)" in done.stderr) == (1, True)


@pytest.mark.parametrize("option", [("--gate", "none"), ("--development",), ("--simulated",)])
def test_what_a_trust_store_says_itself_is_not_said_beside_it(folder: Path, option: tuple[str, ...]) -> None:
    done = _verify(folder, "template", "--trust", "trust", "--root", "root.pem", *option)
    assert done.returncode == 2
    assert "a signed trust store says itself" in done.stderr
