"""Runs a verifier against the suite: every vector once, by the contract in README.md, with the standard library alone.

    python proto/conformance/run.py --verifier 'faceward-verify' [--lacks ed25519] [--only GROUP] [--jobs N]
    python proto/conformance/run.py --python faceward_proto.command:main

Ends with 0 when every verdict agrees, 1 when one does not, 2 when there was nothing to run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).resolve().parent / "vectors"
EXIT_CODES = {"accept": 0, "refuse": 1}
TIMEOUT_S = 30.0  # a verifier that hangs has not refused

Verifier = Callable[[Sequence[str]], tuple[object, str]]  # arguments of the contract to exit code and standard output


@dataclass(frozen=True)
class Outcome:
    """What came of one vector: `problem` is empty where the verdict agrees."""

    vector: dict[str, Any]
    expected: str
    problem: str
    kind: str


def command_verifier(command: Sequence[str]) -> Verifier:
    """A verifier in any language: a process for each vector."""

    def verify(arguments: Sequence[str]) -> tuple[object, str]:
        done = subprocess.run(
            [*command, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False
        )
        return done.returncode, done.stdout.decode(errors="replace")

    return verify


def function_verifier(name: str) -> Verifier:
    """A verifier in Python, `module:function`, in this process: it takes the arguments and returns the exit code.

    Raises: ValueError, ImportError, AttributeError when there is no such function.
    """
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise ValueError(f"not MODULE:FUNCTION: {name!r}")
    function = getattr(importlib.import_module(module), attribute)

    def verify(arguments: Sequence[str]) -> tuple[object, str]:
        said = io.StringIO()
        code: object
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
            try:
                code = function([*arguments])
            except SystemExit as ended:
                code = ended.code
            except Exception as error:  # noqa: BLE001 - a crash has not refused
                code = repr(error)
        return code, said.getvalue()

    return verify


def arguments_of(vector: dict[str, Any], folder: Path = VECTORS) -> list[str]:
    """The arguments of the contract for one vector."""
    command: list[str] = []
    for root in vector["roots"]:
        command += ["--root", str(folder / root)]
    if vector["need"] != len(vector["roots"]):
        command += ["--need", str(vector["need"])]
    command += [
        "--trust",
        str(folder / vector["trust"]),
        "--now",
        str(vector["now_s"]),
        "--epoch",
        str(vector["epoch"]),
    ]
    command += ["--minimum-sequence", str(vector["minimum_sequence"])]
    for grant_id in vector["grant_seen"]:
        command += ["--grant-seen", grant_id]
    for option, name in (("--subject", "subject"), ("--tenant", "tenant"), ("--lock-group", "lock_group")):
        if vector[name] is not None:
            command += [option, vector[name]]
    return [*command, str(folder / vector["record"])]


def expected_of(vector: dict[str, Any], lacks: frozenset[str]) -> str:
    """What a verifier must say that lacks these algorithms: what it can't verify, it refuses."""
    return "refuse" if lacks & set(vector["needs"]) else vector["verdict"]


def run_vector(verifier: Verifier, vector: dict[str, Any], lacks: frozenset[str]) -> Outcome:
    """Run one vector. A crash, a time-out, or an answer that is none agrees with no verdict."""
    expected = expected_of(vector, lacks)
    try:
        code, said = verifier(arguments_of(vector))
    except subprocess.TimeoutExpired:
        return Outcome(vector, expected, "no answer in time", "")
    try:
        (line,) = said.splitlines()
        answer = json.loads(line)
        verdict, kind = str(answer["verdict"]), answer["kind"]
    except (ValueError, TypeError, KeyError):
        return Outcome(vector, expected, f"exit code {code} without one line of JSON as the contract asks", "")
    if verdict not in EXIT_CODES or type(code) is not int or code != EXIT_CODES[verdict]:
        return Outcome(vector, expected, f"said {verdict!r} with exit code {code}", kind)
    return Outcome(vector, expected, "" if verdict == expected else f"said {verdict!r} and not {expected!r}", kind)


def tell(outcomes: Sequence[Outcome]) -> None:
    """Print the disagreements, and a table by group and verdict."""
    for outcome in outcomes:
        if outcome.problem:
            print(f"{outcome.vector['name']}: {outcome.problem}\n    {outcome.vector['why']}")
    groups = list(dict.fromkeys(outcome.vector["name"].partition("/")[0] for outcome in outcomes))
    print(f"{'group':12} {'accept':>10} {'refuse':>10}")
    for group in [*groups, "all"]:
        row = [one for one in outcomes if group in (one.vector["name"].partition("/")[0], "all")]
        total = Counter(one.expected for one in row)
        good = Counter(one.expected for one in row if not one.problem)
        cells = [f"{good[verdict]}/{total[verdict]}" if total[verdict] else "-" for verdict in ("accept", "refuse")]
        print(f"{group:12} {cells[0]:>10} {cells[1]:>10}")
    refused = [one for one in outcomes if not one.problem and one.expected == one.vector["verdict"] == "refuse"]
    same = sum(one.kind == one.vector["kind"] for one in refused)
    print(f"of {len(refused)} refusals, {same} name the kind that the suite names (advisory)")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run a verifier against the conformance suite.")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--verifier", metavar="CMD", help="the verifier's command, as a shell would split it")
    which.add_argument("--python", metavar="MODULE:FUNCTION",
                       help="a verifier in Python, in this process, without a start for each vector")  # fmt: skip
    parser.add_argument("--lacks", action="append", default=[], metavar="ALGORITHM",
                        help="an algorithm that the verifier has not: what needs it must be refused")  # fmt: skip
    parser.add_argument("--only", action="append", default=[], metavar="GROUP", help="groups of vectors to run (all)")
    parser.add_argument("--jobs", type=int, default=2, help="how many to run at once (2)")
    asked = parser.parse_args(arguments)
    manifest = json.loads((VECTORS / "manifest.json").read_text(encoding="utf-8"))
    unknown = set(asked.lacks) - (set(manifest["features"]) - {"es256"})
    if unknown:
        parser.error(f"nothing to lack: {', '.join(sorted(unknown))}; there are {', '.join(manifest['features'][1:])}")
    vectors = [
        vector for vector in manifest["vectors"] if not asked.only or vector["name"].partition("/")[0] in asked.only
    ]
    command = shlex.split(asked.verifier or "")
    if not vectors or not (command or asked.python):
        parser.error("there is no such group, or no verifier")
    lacks = frozenset(asked.lacks)
    try:
        verifier = function_verifier(asked.python) if asked.python else command_verifier(command)
    except (ValueError, ImportError, AttributeError) as error:
        print(f"the verifier can't be run: {error}", file=sys.stderr)
        return 2
    jobs = 1 if asked.python else max(1, asked.jobs)  # one standard output
    try:
        with ThreadPoolExecutor(jobs) as pool:
            outcomes = list(pool.map(lambda vector: run_vector(verifier, vector, lacks), vectors))
    except OSError as error:
        print(f"the verifier can't be run: {error}", file=sys.stderr)
        return 2
    tell(outcomes)
    return 1 if any(outcome.problem for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
