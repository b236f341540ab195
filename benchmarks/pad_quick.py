"""How often the living are refused and the instruments get through, against the simulated sensor.

    python benchmarks/pad_quick.py [--actors live print-a4 ...] [--count 4] [--seeds 10000:1000000] [--purpose enroll]

Each actor stands before the sensor `--count` times, as individuals whose seeds are drawn at random from the range (they
are printed), at 300, 400 and 500 mm in turn and, where skin is alive, in four tones in turn. One capture each, judged by
every gate of the development policy, no second try. Printed for each species: how captures ended, the cues that decided,
and the share of what counts as an error with its exact 95 % interval (Clopper and Pearson 1934). All of it is simulated:
nothing here is a rate of error with people.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import faceward.config
from faceward.config import Policy, load_policy
from faceward.errors import CaptureRejected, FacewardError, LivenessInconclusive, NotLive
from faceward.face.models import ModelFiles
from faceward.hal.discovery import open_sensor
from faceward.judgement import judge
from faceward.liveness.admit import admit
from faceward.liveness.loader import load_plugins
from faceward.liveness.worker import GateWorker
from faceward_sim.ports.inprocess import get_backend
from faceward_sim.rig import build_firmware
from faceward_sim.world.actors import ACTORS

SPECIES = ("live", "print-a4", "phone-screen", "mask-silicone", "mask-silicone-matched")
DISTANCES_MM = (300.0, 400.0, 500.0)
TONES = (1.0, 2.0, 3.0, 4.0)
ENDS = ("not-live", "inconclusive", "rejected", "accepted")


@dataclass(frozen=True, slots=True)
class Ending:
    """How one capture ended: one of ENDS or an error's code, why, after how many seconds of wall clock."""

    end: str
    why: str
    seconds: float


def main() -> int:
    options = _options()
    policy = load_policy(Path(faceward.config.__file__).parent / "policies" / "development.toml")
    models = ModelFiles.locate(options.models)
    chosen = random.SystemRandom()
    low, high = options.seeds
    print("simulated sensor sl-940, simulated people and instruments; not a rate of error with people\n")
    for actor in options.actors:
        endings: list[Ending] = []
        for number in range(options.count):
            seed = low + number if options.in_order else chosen.randrange(low, high)
            distance_mm = DISTANCES_MM[number % len(DISTANCES_MM)]
            tone = None if actor == "mask-silicone" else TONES[number % len(TONES)]
            ending = capture_once(policy, models, actor, seed, distance_mm, tone, options.purpose)
            endings.append(ending)
            where = f"seed {seed:7d}  {distance_mm:.0f} mm  tone {'drawn' if tone is None else f'{tone:g}'}"
            print(f"  {actor:22} {where}  {ending.seconds:5.1f} s  {ending.end:12} {ending.why}", flush=True)
        print(summary(actor, endings), flush=True)
    return 0


def capture_once(
    policy: Policy, models: ModelFiles, actor: str, seed: int, distance_mm: float, tone: float | None, purpose: str
) -> Ending:
    """One actor, one capture, one verdict."""
    backend = get_backend(build_firmware("sl-940", actor, seed, distance_mm=distance_mm, tone=tone))
    started = time.perf_counter()
    try:
        with GateWorker(policy) as worker:
            worker.start()
            drivers = load_plugins(policy).drivers
            with open_sensor("usb:", drivers, transports=policy.capture_transports, backend=backend) as sensor:
                judged = judge(policy, models, sensor, worker, purpose="verify" if purpose == "verify" else "enroll")
        seconds = time.perf_counter() - started
        cues = ", ".join(f"{each.gate}: {each.evidence.cue}" for each in judged.verdict.deciding)
        try:
            admit(judged.capture, judged.verdict)
        except NotLive:
            return Ending("not-live", cues, seconds)
        except LivenessInconclusive as error:
            return Ending("inconclusive", cues or str(error), seconds)
        except CaptureRejected as error:
            return Ending("rejected", f"{error.reason} (the gates: {judged.verdict.outcome})", seconds)
        return Ending("accepted", "", seconds)
    except FacewardError as error:
        return Ending(error.code, str(error), time.perf_counter() - started)
    finally:
        backend.close()


def summary(actor: str, endings: list[Ending]) -> str:
    """One species in a few lines."""
    ends = Counter(ending.end for ending in endings)
    living = ACTORS[actor].species == "live"
    errors = sum(count for end, count in ends.items() if (end != "accepted") is living)
    low, high = clopper_pearson(errors, len(endings))
    what = "living refused" if living else "accepted"
    lines = [
        f"{actor}: " + ", ".join(f"{ends.get(end, 0)} {end}" for end in (*ENDS, *sorted(set(ends) - set(ENDS)))),
        f"  {what}: {errors} of {len(endings)}, 95 % interval {low:.1%} to {high:.1%} (simulated)",
    ]
    cues = Counter(ending.why for ending in endings if ending.why)
    lines += [f"  {count} x {why}" for why, count in cues.most_common()]
    lines.append(f"  {statistics.median(ending.seconds for ending in endings):.1f} s of wall clock a capture (median)\n")
    return "\n".join(lines)


def clopper_pearson(errors: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a binomial share: the shares under which as many errors, or as few, are just unlikely."""
    tail = (1.0 - confidence) / 2.0

    def at_least(share: float) -> float:
        return sum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(errors, trials + 1))

    def at_most(share: float) -> float:
        return sum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(errors + 1))

    low = 0.0 if errors == 0 else _crossing(lambda share: at_least(share) - tail)
    high = 1.0 if errors == trials else _crossing(lambda share: tail - at_most(share))
    return low, high


def _crossing(rising: Callable[[float], float]) -> float:
    """Where a rising function of a share passes zero."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--actors", nargs="+", default=list(SPECIES), choices=sorted(ACTORS))
    parser.add_argument("--count", type=int, default=4, help="captures of each actor")
    parser.add_argument("--seeds", type=_range, default=(10_000, 1_000_000), help="LOW:HIGH; tune on 0:1000 alone")
    parser.add_argument("--in-order", action="store_true", help="LOW, LOW + 1, ... in place of drawn seeds")
    parser.add_argument("--purpose", choices=("enroll", "verify"), default="enroll")
    parser.add_argument("--models", type=Path, default=None, help="folder of the face models")
    return parser.parse_args()


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition(":")
    if not (low.isdigit() and high.isdigit() and int(low) < int(high)):
        raise argparse.ArgumentTypeError("write LOW:HIGH")
    return int(low), int(high)


if __name__ == "__main__":
    sys.exit(main())
