"""Living people and null instruments before the whole product, which nothing here imports: it is run as a program.

Each presentation has a new home, a new sensor behind USB/IP and one enrollment with the development policy, as an
integrator would type it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from faceward_sim.leaks.finding import Finding
from faceward_sim.ports.powered import PoweredSensor
from faceward_sim.ports.usbip import UsbipServer
from faceward_sim.rig import build_firmware
from faceward_sim.world.instruments.masks import NULL

LEVEL = 0.95
ACCEPTED, REFUSED = 0, (20, 31, 32)  # exit codes: enrolled; rejected, not live, inconclusive
_TIMEOUT_S = 300.0
_FACEWARD = (sys.executable, "-m", "faceward.cli")


class NotInstalled(RuntimeError):
    """Faceward or its gates are not there to be run, or can't enroll; the message says what it answered."""


def check_acceptance(seed: int, count: int, told: Callable[[str], None]) -> Iterator[Finding]:
    """`count` living people and as many null instruments, each of a seed of their own.

    :raises NotInstalled: see there.
    :raises ValueError: no presentation.
    """
    if count < 1:
        raise ValueError(f"at least one presentation, not {count}")
    rng = np.random.default_rng([seed, 0xACCE])
    accepted = {"live": 0, NULL.name: 0}
    ends: dict[str, list[str]] = {"live": [], NULL.name: []}
    for _ in range(count):
        distance_mm, tone = float(rng.uniform(320, 480)), float(rng.uniform(1, 4))
        for name in accepted:
            drawn = int(rng.integers(1, 2**31))
            told(f"{name} {drawn}")
            code, word = present(name, drawn, distance_mm, tone)
            accepted[name] += code == ACCEPTED
            ends[name].append(word)
    low, high = exact_interval(accepted["live"], count)
    null_low, null_high = exact_interval(accepted[NULL.name], count)
    share = accepted[NULL.name] / count
    yield Finding(
        "null instrument",
        f"living: {', '.join(ends['live'])}; null: {', '.join(ends[NULL.name])}",
        f"{accepted[NULL.name]} of {count} accepted, interval {null_low:.2f} to {null_high:.2f}",
        f"the living's {accepted['live']} of {count}, interval {low:.2f} to {high:.2f}",
        low <= share <= high,
    )


def present(actor: str, seed: int, distance_mm: float, tone: float) -> tuple[int, str]:
    """One enrollment: the program's exit code and its word for it.

    :raises NotInstalled: it ended neither in an enrollment nor in a refusal.
    """
    powered = PoweredSensor(build_firmware("sl-940", actor, seed, distance_mm=distance_mm, tone=tone))
    server = UsbipServer([powered], port=0)
    try:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            _run("--home", str(home), "keys", "init")
            address = f"usbip://{server.host}:{server.port}/1-1"
            done = _run("--home", str(home), "--sensor", address, "--json", "enroll", "somebody")
    finally:
        server.close()
    if done.returncode == ACCEPTED:
        return ACCEPTED, "enrolled"
    if done.returncode not in REFUSED:
        raise NotInstalled(f"`faceward enroll` ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.returncode, _word(done.stdout)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*_FACEWARD, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    if "No module named" in done.stderr:
        raise NotInstalled("install faceward and faceward-gates beside the simulator; null instruments go before them")
    return done


def _word(stdout: str) -> str:
    """The refusal's stable code, from the last line of JSON."""
    for line in reversed(stdout.splitlines()):
        try:
            error = json.loads(line).get("error")
        except (ValueError, AttributeError):
            continue
        if error:
            return str(error.get("reason") or error.get("code"))
    return "refused"


def exact_interval(hits: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, trials - hits + 1))
    high = 1.0 if hits == trials else float(beta.ppf(1 - tail, hits + 1, trials - hits))
    return low, high
