"""`faceward-verify` says accept or refuse as its contract has it, and nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from faceward_proto import command
from faceward_proto.envelope import TEMPLATE_TYPE, TRUST_TYPE, read_envelope
from faceward_proto.truststore import write_trust_statement

KEPT = {"sequence": 7, "minimum_epoch": 0}  # of the trust store


@pytest.fixture
def desk(world, new_key, seal, tmp_path):
    """A record, a trust store and its root on disk, and the arguments that accept them."""
    root = new_key()
    store = replace(world.store, sequence=7, issued_at_s=world.now_s - 5, expires_at_s=world.now_s + 3600)
    (tmp_path / "root.pem").write_bytes(root.public.to_pem())
    (tmp_path / "trust").write_bytes(seal(write_trust_statement(store), TRUST_TYPE, root))
    (tmp_path / "record").write_bytes(world.sealed(world.sensor.attest(world.record())))
    return {
        "--root": tmp_path / "root.pem", "--trust": tmp_path / "trust", "--now": world.now_s, "--epoch": 4,
        "--minimum-sequence": 7, "RECORD": tmp_path / "record",
    }  # fmt: skip


def _run(desk, capsys, *more, **changes):
    arguments = {**desk, **{f"--{name.replace('_', '-')}": value for name, value in changes.items()}}
    record = arguments.pop("RECORD")
    line = [str(part) for option in arguments.items() for part in option]
    code = command.main([*line, *map(str, more), str(record)])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_good_record_is_accepted_and_what_a_lock_keeps_is_told(desk, capsys, world):
    code, out, _ = _run(desk, capsys)
    assert code == 0
    told = json.loads(out)
    payload = read_envelope(desk["RECORD"].read_bytes(), TEMPLATE_TYPE).payload
    assert told.pop("record_sha256") == hashlib.sha256(payload).hexdigest()
    assert told == {
        "verdict": "accept", "kind": "", **KEPT, "record_id": (b"r" * 16).hex(), "subject": (b"s" * 32).hex(),
        "record_epoch": 4, "grant_id": (b"g" * 16).hex(), "sensor_key": world.sensor.device.public.key_id,
        "simulated": False, "development": False,
    }  # fmt: skip
    assert out.count("\n") == 1


@pytest.mark.parametrize(
    ("changes", "kind", "kept"),
    [
        ({"now": 1_900_000_000}, "expired", {}),
        ({"epoch": 5}, "revoked", KEPT),
        ({"minimum_sequence": 8}, "rolled-back", {}),
        ({"grant_seen": (b"g" * 16).hex()}, "grant-used", KEPT),
        ({"subject": (b"z" * 32).hex()}, "wrong-context", KEPT),
        ({"tenant": "other"}, "wrong-context", {}),
        ({"lock_group": "other"}, "wrong-context", {}),
    ],
)
def test_a_refusal_says_its_kind_on_one_line_and_what_is_kept_of_a_store_that_was_taken(
    desk, capsys, changes, kind, kept
):
    code, out, err = _run(desk, capsys, **changes)
    assert (code, json.loads(out)) == (1, {"verdict": "refuse", "kind": kind, **kept})
    assert err.startswith("refused: ")


def test_a_grant_of_another_id_is_not_this_one(desk, capsys):
    assert _run(desk, capsys, "--grant-seen", (b"h" * 16).hex(), "--grant-seen", bytes(16).hex())[0] == 0
    assert _run(desk, capsys, "--grant-seen", (b"h" * 16).hex(), "--grant-seen", (b"g" * 16).hex())[0] == 1


def test_all_roots_are_needed_unless_it_is_said_how_many(desk, capsys, new_key, tmp_path):
    (tmp_path / "second.pem").write_bytes(new_key().public.to_pem())
    more = ("--root", tmp_path / "second.pem")
    assert _run(desk, capsys, *more)[0] == 1
    assert _run(desk, capsys, *more, "--need", 1)[0] == 0


def test_an_endless_record_is_refused(desk, capsys):
    desk["RECORD"].write_bytes(bytes(1_000_000))
    code, out, _ = _run(desk, capsys)
    assert (code, json.loads(out)["kind"]) == (1, "unsupported-record")


@pytest.mark.parametrize("missing", ["--root", "--trust", "RECORD"])
def test_a_file_that_is_not_there_is_no_verdict(desk, capsys, missing):
    desk[missing].unlink()
    code, out, err = _run(desk, capsys)
    assert (code, out) == (2, "")
    assert "faceward-verify" in err


def test_a_root_that_is_no_key_is_no_verdict(desk, capsys):
    desk["--root"].write_bytes(b"junk")
    assert _run(desk, capsys)[:2] == (2, "")


@pytest.mark.parametrize("need", [0, 2])
def test_a_need_that_the_roots_can_not_meet_is_no_verdict(desk, capsys, need):
    assert _run(desk, capsys, need=need)[:2] == (2, "")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("now", "soon"), ("now", "-1"), ("now", "nan"), ("epoch", "1e3"), ("minimum_sequence", "٣"),
        ("grant_seen", "g"), ("grant_seen", "00" * 15), ("subject", "00" * 16),
    ],
)  # fmt: skip
def test_an_option_that_is_none_is_no_verdict(desk, capsys, option, value):
    with pytest.raises(SystemExit) as caught:
        _run(desk, capsys, **{option: value})
    assert caught.value.code == 2
    assert capsys.readouterr().out == ""
