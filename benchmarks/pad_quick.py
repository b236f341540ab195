"""How often the living are refused and the instruments get through, against the simulated sensor.

    python benchmarks/pad_quick.py [--actors live print-a4 ...] [--count 4] [--seeds 10000:1000000] [--purpose enroll]
        [--out DIR]

Each actor stands before the sensor `--count` times, as individuals whose seeds are drawn at random from the range (they
are printed), at 300, 400 and 500 mm in turn and, where skin is alive, in four tones in turn. One capture each, judged by
every gate of the development policy, no second try. Printed for each species: how captures ended, the cues that decided,
and the share of what counts as an error with its exact 95 % interval (Clopper and Pearson 1934). With `--out` each capture
is a line of results, of split "dev", and an accepted instrument leaves a picture, so that `faceward pad-report DIR` can be
tried; what has its line is not done again. All of it is simulated: nothing here is a rate of error with people.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import faceward.config
import numpy as np
from faceward.config import Policy, load_policy
from faceward.errors import CaptureRejected, FacewardError, LivenessInconclusive, NotLive
from faceward.face.models import ModelFiles
from faceward.hal.discovery import open_sensor
from faceward.judgement import judge
from faceward.liveness.admit import admit
from faceward.liveness.loader import load_plugins
from faceward.liveness.worker import GateWorker
from faceward.model.capture import Capture
from faceward.pad import About, CaptureOutcome, GateLine, Presentation, ResultsWriter, gate_lines, write_about
from faceward.pad.intervals import clopper_pearson
from faceward_sim.ports.inprocess import get_backend
from faceward_sim.rig import build_firmware
from faceward_sim.world.actors import ACTORS

SPECIES = ("live", "print-a4", "phone-screen", "mask-silicone", "mask-silicone-matched")
DISTANCES_MM = (300.0, 400.0, 500.0)
TONES = (1.0, 2.0, 3.0, 4.0)
TONE_NAMES = ("I-II", "III-IV", "V", "VI")
OUTCOMES = {
    "accepted": CaptureOutcome.LIVE,
    "not-live": CaptureOutcome.NOT_LIVE,
    "inconclusive": CaptureOutcome.INCONCLUSIVE,
    "rejected": CaptureOutcome.REJECTED,
}
ENDS = ("not-live", "inconclusive", "rejected", "accepted")


@dataclass(frozen=True, slots=True)
class Ending:
    """How one capture ended: one of ENDS or an error's code, why, after how many seconds of wall clock.

    `code` is a rejection's reason or an error's code; `capture` is None where an error ended it.
    """

    end: str
    why: str
    seconds: float
    code: str | None = None
    gates: tuple[GateLine, ...] = ()
    capture: Capture | None = None


def main() -> int:
    options = _options()
    policy = load_policy(Path(faceward.config.__file__).parent / "policies" / "development.toml")
    models = ModelFiles.locate(options.models)
    chosen = random.SystemRandom()
    print("simulated sensor sl-940, simulated people and instruments; not a rate of error with people\n")
    if options.out is None:
        run(options, policy, models, chosen, None)
        return 0
    with ResultsWriter(options.out) as writer:
        write_about(options.out, About(title="Quick look", notes="Written by benchmarks/pad_quick.py."))
        run(options, policy, models, chosen, writer)
    print(f"next: faceward pad-report {options.out}")
    return 0


def run(
    options: argparse.Namespace, policy: Policy, models: ModelFiles, chosen: random.Random, writer: ResultsWriter | None
) -> None:
    """Every actor, as often as asked."""
    low, high = options.seeds
    for actor in options.actors:
        endings: list[Ending] = []
        for number in range(options.count):
            seed = low + number if options.in_order else chosen.randrange(low, high)
            if writer is not None and identity(actor, seed, options.purpose) in writer.done:
                continue
            distance_mm = DISTANCES_MM[number % len(DISTANCES_MM)]
            tone = None if actor == "mask-silicone" else TONES[number % len(TONES)]
            ending = capture_once(policy, models, actor, seed, distance_mm, tone, options.purpose)
            if writer is not None:
                writer.write(presentation(options, policy, actor, seed, distance_mm, tone, ending))
            endings.append(ending)
            where = f"seed {seed:7d}  {distance_mm:.0f} mm  tone {'drawn' if tone is None else f'{tone:g}'}"
            print(f"  {actor:22} {where}  {ending.seconds:5.1f} s  {ending.end:12} {ending.why}", flush=True)
        if endings:
            print(summary(actor, endings), flush=True)


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
        seen = {"seconds": seconds, "gates": gate_lines(judged.verdict), "capture": judged.capture}
        try:
            admit(judged.capture, judged.verdict)
        except NotLive:
            return Ending("not-live", cues, **seen)
        except LivenessInconclusive as error:
            return Ending("inconclusive", cues or str(error), **seen)
        except CaptureRejected as error:
            why = f"{error.reason} (the gates: {judged.verdict.outcome})"
            return Ending("rejected", why, code=error.reason, **seen)
        return Ending("accepted", "", **seen)
    except FacewardError as error:
        return Ending(error.code, str(error), time.perf_counter() - started, code=error.code)
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
    lines.append(
        f"  {statistics.median(ending.seconds for ending in endings):.1f} s of wall clock a capture (median)\n"
    )
    return "\n".join(lines)


def presentation(
    options: argparse.Namespace,
    policy: Policy,
    actor: str,
    seed: int,
    distance_mm: float,
    tone: float | None,
    ending: Ending,
) -> Presentation:
    """The capture as a line of results. Every seed is a sensor unit and a person of its own."""
    species = ACTORS[actor].species
    attack = species != "live"
    outcome = OUTCOMES.get(ending.end, CaptureOutcome.FAILED)
    name = identity(actor, seed, options.purpose)
    return Presentation(
        presentation_id=name,
        attack=attack,
        species=species,
        person_id=f"person-{seed}",
        instrument_id=f"{actor}-{seed}" if attack else None,
        tone=None if tone is None else TONE_NAMES[round(tone) - 1],
        sensor_kind="sl-940",
        sensor_unit=f"sl-940-{seed}",
        split="dev",
        simulated=True,
        seed=seed,
        replay=f"faceward-sim serve --sensor sl-940 --actor {actor} --seed {seed}, {distance_mm:.0f} mm, tone {tone}",
        policy_sha256=policy.hash.hex(),
        purpose=options.purpose,
        grant_id=name,
        attempt=1,
        outcome=outcome,
        rejection_reason=ending.code if outcome is CaptureOutcome.REJECTED else None,
        error_code=ending.code if outcome is CaptureOutcome.FAILED else None,
        gates=ending.gates,
        decision_s=None if ending.capture is None else ending.capture.seconds,
        picture=draw(options.out, name, ending.capture) if attack and outcome is CaptureOutcome.LIVE else None,
    )


def identity(actor: str, seed: int, purpose: str) -> str:
    """A presentation's id: the same individual for the same purpose is the same presentation."""
    return f"{actor}-{seed}-{purpose}"


def draw(folder: Path, name: str, capture: Capture | None) -> str | None:
    """Write the first key frame's flood image as a picture that the report shows."""
    if capture is None or not capture.key_frames:
        return None
    pixels = capture.key_frames[0].flood.pixels.astype(np.float32)
    low, high = np.percentile(pixels, (1.0, 99.5))
    light = np.clip((pixels - low) / max(high - low, 1.0), 0.0, 1.0) ** (1.0 / 2.2)
    path = folder / "pictures" / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), cv2.resize(np.round(255.0 * light).astype(np.uint8), None, fx=0.5, fy=0.5))
    return f"pictures/{name}.png"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--actors", nargs="+", default=list(SPECIES), choices=sorted(ACTORS))
    parser.add_argument("--count", type=int, default=4, help="captures of each actor")
    parser.add_argument("--seeds", type=_range, default=(10_000, 1_000_000), help="LOW:HIGH; tune on 0:1000 alone")
    parser.add_argument("--in-order", action="store_true", help="LOW, LOW + 1, ... in place of drawn seeds")
    parser.add_argument("--purpose", choices=("enroll", "verify"), default="enroll")
    parser.add_argument("--out", type=Path, default=None, help="folder of results to write, or to go on with")
    parser.add_argument("--models", type=Path, default=None, help="folder of the face models")
    options = parser.parse_args()
    odd = sorted(set(options.actors) - set(SPECIES))
    if options.out is not None and odd:
        parser.error(f"--out writes presentations of {', '.join(SPECIES)}; {', '.join(odd)} is none")
    return options


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition(":")
    if not (low.isdigit() and high.isdigit() and int(low) < int(high)):
        raise argparse.ArgumentTypeError("write LOW:HIGH")
    return int(low), int(high)


if __name__ == "__main__":
    sys.exit(main())
