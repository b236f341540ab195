"""The conformance suite: our verifier agrees with every vector, and the runner believes no other."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from faceward_proto import command, errors

SUITE = Path(__file__).resolve().parents[3] / "proto/conformance"
MANIFEST = json.loads((SUITE / "vectors/manifest.json").read_text(encoding="utf-8"))
VECTORS = {vector["name"]: vector for vector in MANIFEST["vectors"]}
OURS = f"{sys.executable} -m faceward_proto.command"


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance_run", SUITE / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", VECTORS)
def test_our_verifier_agrees_with_every_vector_and_its_kind(name, runner, capsys):
    vector = VECTORS[name]
    code = command.main(runner.arguments_of(vector))
    answer = json.loads(capsys.readouterr().out)
    assert (answer["verdict"], answer["kind"]) == (vector["verdict"], vector["kind"]), vector["why"]
    assert code == runner.EXIT_CODES[vector["verdict"]]


def test_the_committed_vectors_are_what_the_generator_makes():
    done = subprocess.run(
        [sys.executable, str(SUITE / "generate.py"), "--check"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_more_must_fail_than_pass_and_every_kind_of_refusal_is_tried(record_property):
    verdicts = Counter(vector["verdict"] for vector in VECTORS.values())
    for verdict, count in verdicts.items():
        record_property(f"vectors to {verdict}", count)
    assert len(VECTORS) == len(MANIFEST["vectors"])
    assert verdicts["refuse"] > verdicts["accept"] > 50
    kinds = {kind.kind for kind in errors.VerificationError.__subclasses__()}
    assert {vector["kind"] for vector in VECTORS.values()} == {*kinds, ""}
    readme = (SUITE / "README.md").read_text(encoding="utf-8")
    assert f"{len(VECTORS)} vectors, {verdicts['accept']} to accept and {verdicts['refuse']} to refuse" in readme


def test_every_file_is_used_and_every_one_that_is_used_is_there():
    used = {"manifest.json"}
    for vector in VECTORS.values():
        used |= {vector["record"], vector["trust"], *vector["roots"]}
    folder = SUITE / "vectors"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == used


def test_what_is_needed_is_named_and_es256_always_is():
    for vector in VECTORS.values():
        assert "es256" in vector["needs"]
        assert set(vector["needs"]) <= set(MANIFEST["features"])
        if vector["verdict"] == "accept":
            assert vector["kind"] == ""


def test_the_runner_runs_a_verifier_and_tells_by_verdict(runner, capsys):
    assert runner.main(["--verifier", OURS, "--only", "label", "--jobs", "2"]) == 0
    out = capsys.readouterr().out
    assert "13/13" in out
    assert "of 13 refusals, 13 name the kind" in out


def test_a_verifier_that_claims_to_lack_what_it_has_disagrees(runner, capsys):
    vector = VECTORS["good/ed25519"]
    verifier = runner.command_verifier(OURS.split())
    assert runner.run_vector(verifier, vector, frozenset()).problem == ""
    assert "not 'refuse'" in runner.run_vector(verifier, vector, frozenset({"ed25519"})).problem
    assert runner.expected_of(VECTORS["good/baseline"], frozenset({"ed25519"})) == "accept"


def _fake(tmp_path: Path, text: str) -> list[str]:
    script = tmp_path / "verifier.py"
    script.write_text(text, encoding="utf-8")
    return [sys.executable, str(script)]


ACCEPT = "print('{\"verdict\": \"accept\", \"kind\": \"\"}')\n"
REFUSE = "print('{\"verdict\": \"refuse\", \"kind\": \"expired\"}')\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{ACCEPT}raise SystemExit(0)", "said 'accept' and not 'refuse'"),
        (f"{ACCEPT}raise SystemExit(1)", "said 'accept' with exit code 1"),
        (f"{REFUSE}raise SystemExit(0)", "said 'refuse' with exit code 0"),
        (f"{REFUSE}raise SystemExit(2)", "said 'refuse' with exit code 2"),
        (f"{REFUSE}{REFUSE}raise SystemExit(1)", "without one line of JSON"),
        ("raise SystemExit(1)", "exit code 1 without one line of JSON"),
        ("print('refuse')\nraise SystemExit(1)", "without one line of JSON"),
        ("print('[]')\nraise SystemExit(1)", "without one line of JSON"),
        ("print('{\"verdict\": \"refuse\"}')\nraise SystemExit(1)", "without one line of JSON"),
        ("print('{\"verdict\": [], \"kind\": \"\"}')\nraise SystemExit(1)", "said '[]' with exit code 1"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "exit code -11 without"),
        (f"{REFUSE}raise SystemExit(1)", ""),
    ],
)
def test_only_a_refusal_is_a_refusal(runner, tmp_path, text, problem):
    outcome = runner.run_vector(runner.command_verifier(_fake(tmp_path, text)), VECTORS["context/expired"], frozenset())
    assert problem in outcome.problem
    assert bool(problem) == bool(outcome.problem)


def test_a_verifier_that_hangs_has_not_refused(runner, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "TIMEOUT_S", 0.5)
    verifier = runner.command_verifier(_fake(tmp_path, "import time\ntime.sleep(60)"))
    outcome = runner.run_vector(verifier, VECTORS["context/expired"], frozenset())
    assert outcome.problem == "no answer in time"


def test_a_verifier_in_python_is_run_where_the_runner_runs(runner, capsys):
    assert runner.main(["--python", "faceward_proto.command:main"]) == 0
    out = capsys.readouterr().out
    assert "65/65" in out and "368/368" in out
    assert "of 368 refusals, 368 name the kind" in out


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (f"{ACCEPT}return 0", "said 'accept' and not 'refuse'"),
        (f"{ACCEPT}return 1", "said 'accept' with exit code 1"),
        (f"{REFUSE}return True", "said 'refuse' with exit code True"),
        (f"{REFUSE}return None", "said 'refuse' with exit code None"),
        (f"{REFUSE}raise RuntimeError('late')", "said 'refuse' with exit code RuntimeError('late')"),
        ("raise RuntimeError('early')", "without one line of JSON"),
        (f"{REFUSE}raise SystemExit(1)", ""),
        (f"{REFUSE}return 1", ""),
    ],
)
def test_a_verifier_in_python_refuses_with_code_and_line_alone(runner, tmp_path, monkeypatch, body, problem):
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    (tmp_path / "verifier_in_python.py").write_text(f"def main(arguments):\n{lines}", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "verifier_in_python", raising=False)
    verifier = runner.function_verifier("verifier_in_python:main")
    outcome = runner.run_vector(verifier, VECTORS["context/expired"], frozenset())
    assert problem in outcome.problem
    assert bool(problem) == bool(outcome.problem)


@pytest.mark.parametrize("name", ["faceward_proto.command", "no_such_module:main", "json:no_such_function", ":main"])
def test_a_function_that_is_none_ends_before_a_vector_is_run(runner, capsys, name):
    assert runner.main(["--python", name]) == 2
    assert "the verifier can't be run" in capsys.readouterr().err


def test_one_disagreement_fails_the_run(runner, tmp_path, capsys):
    verifier = " ".join(_fake(tmp_path, f"{REFUSE}raise SystemExit(1)"))
    assert runner.main(["--verifier", verifier, "--only", "good", "--only", "label"]) == 1
    out = capsys.readouterr().out
    assert "good/baseline: said 'refuse' and not 'accept'" in out
    assert "13/13" in out


@pytest.mark.parametrize(
    "arguments",
    [["--verifier", OURS, "--only", "nothing"], ["--verifier", ""], ["--verifier", OURS, "--lacks", "es256"], []],
)
def test_a_run_of_nothing_is_no_success(runner, arguments):
    with pytest.raises(SystemExit) as caught:
        runner.main(arguments)
    assert caught.value.code == 2


def test_a_verifier_that_is_not_there_is_no_success(runner, tmp_path, capsys):
    assert runner.main(["--verifier", str(tmp_path / "nowhere"), "--only", "label"]) == 2
    assert "can't be run" in capsys.readouterr().err
