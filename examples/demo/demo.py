"""The story that `make demo` tells, with the real command line and a simulated sensor behind a real USB protocol.

A living person enrolls and the signed template is verified, as the lock would; the person comes back and is accepted.
Then a print, a phone's screen and a silicone mask are held before the sensor and must each be refused by a gate's cue.
Last a mask that was matched to skin: what happens is told as it is, because one infrared band can't promise to see it.

Ends with 0 when everything that is expected happened. Everything here is simulated; no figure of it is evidence.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

BIN = Path(sys.executable).parent
HERE = Path(__file__).resolve().parent
EXIT_NOT_LIVE = 31
SIMULATOR_START_S = 180.0  # the first start compiles the renderer, on a machine that may be busy
COMMAND_TIMEOUT_S = 150.0

console = Console(highlight=False)


@dataclass(frozen=True)
class Presentation:
    """Somebody or something before the sensor, and the exit code that must follow; None: told as it is."""

    title: str
    actor: str
    seed: int
    command: tuple[str, ...]
    expected: int | None


@dataclass(frozen=True)
class Happened:
    """What a presentation came to."""

    presentation: Presentation
    exit_code: int
    cue: str
    seconds: float

    @property
    def as_expected(self) -> bool:
        return self.presentation.expected in (None, self.exit_code)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def simulated_sensor(actor: str, seed: int) -> Iterator[int]:
    """A USB/IP server with one simulated sensor before which an actor stands; yields its port."""
    port = free_port()
    command = [str(BIN / "faceward-sim"), "serve", "--port", str(port), "--sensor", "sl-940", "--actor", actor,
               "--seed", str(seed)]  # fmt: skip
    with tempfile.TemporaryFile("w+", encoding="utf-8") as complaints:
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=complaints)
        try:
            wait_until_open(port, server, complaints)
            yield port
        finally:
            server.terminate()
            try:
                server.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def wait_until_open(port: int, server: subprocess.Popen[bytes], complaints: TextIO) -> None:
    stop_by = time.monotonic() + SIMULATOR_START_S
    while time.monotonic() < stop_by:
        if server.poll() is not None:
            complaints.seek(0)
            raise SystemExit(f"the simulator ended at once: {complaints.read().strip()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return
        time.sleep(0.05)
    raise SystemExit(f"the simulator did not open port {port} within {SIMULATOR_START_S:.0f} s")


def run(*command: str) -> int:
    """Show a command, run it before the reader's eyes, and return its exit code."""
    shown = shlex.join([Path(command[0]).name, *command[1:]])
    console.print(Text(f"$ {shown}", style="bold blue"), soft_wrap=True)
    sys.stdout.flush()
    return subprocess.run(command, timeout=COMMAND_TIMEOUT_S, check=False).returncode


def answer(*command: str) -> dict[str, object]:
    """The JSON document of a command."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr.strip() or f"{shlex.join(command)} ended with {done.returncode}")
    return json.loads(done.stdout)


def deciding_cue(log: Path) -> str:
    """What the gates said, from the structured log: the cues of a detection, or the outcome of the decision."""
    if not log.exists():
        return ""
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    gates = [entry for entry in entries if entry["event"] == "gate"]
    detected = [f"{entry['gate']}: {entry['cue']}" for entry in gates if entry["outcome"] == "not-live"]
    refused = [f"{entry['gate']}: {entry['cue']} ({entry['outcome']})" for entry in gates if entry["outcome"] != "live"]
    return "; ".join(detected or refused) or ("every gate: live" if gates else "")


def present(presentation: Presentation, faceward: str, home: Path) -> Happened:
    """One presentation, from the server's start to the command's end."""
    console.print()
    console.print(Rule(f"{presentation.title} (simulated)", align="left"))
    log = home / f"{presentation.actor}-{presentation.command[0]}.log"
    with simulated_sensor(presentation.actor, presentation.seed) as port:
        found = answer(faceward, "--home", str(home), "--usbip", f"127.0.0.1:{port}", "--json", "sensors")
        address = found["sensors"][0]["address"]  # type: ignore[index]
        begun = time.monotonic()
        code = run(
            faceward, "--home", str(home), "--sensor", str(address), "--log-file", str(log), *presentation.command
        )
        return Happened(presentation, code, deciding_cue(log), time.monotonic() - begun)


def summary(happened: list[Happened], checks: list[tuple[str, bool]]) -> bool:
    console.print()
    table = Table(title="What happened (simulated)", title_justify="left")
    for heading in ("before the sensor", "command", "came to", "cue", "as expected"):
        table.add_column(heading)
    for each in happened:
        words = {0: "done", EXIT_NOT_LIVE: "refused: not live"}.get(each.exit_code, f"exit {each.exit_code}")
        told = "told as it is" if each.presentation.expected is None else "yes" if each.as_expected else "NO"
        command = each.presentation.command[0]
        table.add_row(each.presentation.title, command, f"{words} ({each.seconds:.0f} s)", each.cue, told)
    for what, good in checks:
        table.add_row(what, "", "done" if good else "failed", "", "yes" if good else "NO")
    console.print(table)
    good = all(each.as_expected for each in happened) and all(passed for _, passed in checks)
    console.print("Everything came as expected." if good else "Something did not come as expected; see above.")
    return good


PERSON_SEED = 7
OWNER_ENROLLS = Presentation("a living person", "live", PERSON_SEED, ("enroll", "alice"), 0)
OWNER_RETURNS = Presentation("the same person again", "live", PERSON_SEED, ("verify", "alice"), 0)
ATTACKS = (
    Presentation("an A4 print", "print-a4", 7, ("enroll", "paper"), EXIT_NOT_LIVE),
    Presentation("a phone's screen", "phone-screen", 7, ("enroll", "screen"), EXIT_NOT_LIVE),
    Presentation("a silicone mask", "mask-silicone", 7, ("enroll", "mask"), EXIT_NOT_LIVE),
    Presentation("a silicone mask matched to skin", "mask-silicone-matched", 7, ("enroll", "matched-mask"), None),
)


def tell(home: Path) -> bool:
    faceward = str(BIN / "faceward")
    verify = (sys.executable, str(HERE.parent / "verify_template.py"))
    template, public_key = home / "alice.fwt", home / "keys" / "signer.pub.pem"
    happened: list[Happened] = []
    checks: list[tuple[str, bool]] = []

    console.print(Rule("A host is set up", align="left"))
    checks.append(("keys and policy", run(faceward, "--home", str(home), "keys", "init") == 0))
    happened.append(present(OWNER_ENROLLS, faceward, home))
    console.print()
    console.print(Rule("The signed template, and what a lock says of it", align="left"))
    checks.append(("show", run(faceward, "--home", str(home), "show", "alice", "--export", str(template)) == 0))
    trusted = run(*verify, str(template), "--host-key", str(public_key), "--development", "--simulated")
    checks.append(("a development lock trusts the template", trusted == 0))
    refused = run(*verify, str(template), "--host-key", str(public_key))
    checks.append(("a production lock refuses it (simulated)", refused == 1))
    happened.append(present(OWNER_RETURNS, faceward, home))
    happened.extend(present(attack, faceward, home) for attack in ATTACKS)
    return summary(happened, checks)


def main() -> int:
    parser = argparse.ArgumentParser(description="Faceward's story, with a simulated sensor.")
    parser.add_argument("--home", type=Path, help="keep the set-up in this folder; the default is thrown away")
    arguments = parser.parse_args()
    os.environ["PYTHONUNBUFFERED"] = "1"
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        home = arguments.home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faceward-demo-")))
        good = tell(home)
    console.print(f"{time.monotonic() - begun:.0f} s in all. Simulated: sensor, people and attacks.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
