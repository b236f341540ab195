"""What each gate costs a slot, in this process and through the worker's.

    python benchmarks/gates.py [--seconds 5]

Frames are drawn beforehand: a head at .4 m that fills as much of the view as a person's. Prints, for each gate,
milliseconds a frame set and a slot; then the worker's wall time a slot, over the same gates called in this process, and the
caller's cost of showing it a set. A slot lasts 33.3 ms; face analysis needs its share too.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from faceward.config import development_policy, load_policy
from faceward.liveness.loader import LoadedGate, load_gates
from faceward.liveness.worker import GateWorker
from faceward.plugin import GateContext
from faceward_sim.conformance.scene import Scene, Shown, draw, schedule_of, sensor_of

SLOT_MS = 1000.0 / 30.0


def in_process(gates: tuple[LoadedGate, ...], shown: list[Shown], slots: int) -> float:
    """Prints each gate's cost; returns the sum a slot."""
    total = 0.0
    for gate in gates:
        best = np.inf
        for _ in range(3):
            session = gate.gate.open(GateContext(sensor_of(), schedule_of(slots // 30), gate.thresholds))
            start = time.perf_counter()
            for frame_set, face in shown:
                session.observe(frame_set, face)
            observed = time.perf_counter()
            evidence = session.conclude()
            best = min(best, observed - start)
            concluded = time.perf_counter() - observed
        each = 1e3 * best / slots
        total += each
        print(
            f"  {gate.name:<15} {1e3 * best / len(shown):6.2f} ms a set {each:6.2f} ms a slot "
            f"({each / SLOT_MS:.3f} of it), concludes in {1e3 * concluded:.1f} ms: {evidence.outcome.value}"
        )
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=5)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    shown = draw(Scene(), schedule=schedule_of(chosen.seconds))
    slots = sum(len(frame_set.slots) for frame_set, _ in shown)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "policy.toml"
        path.write_bytes(development_policy())
        policy = load_policy(path)
    print(f"drawn head, {slots} slots in {len(shown)} sets, 640 x 480")
    total = in_process(load_gates(policy.gates), shown, slots)
    print(f"  {'all gates':<15} {total:27.2f} ms a slot ({total / SLOT_MS:.3f} of it)")

    start = time.perf_counter()
    with GateWorker(policy) as worker:
        worker.start()
        started = time.perf_counter()
        _ = worker.gates
        ready = time.perf_counter()
        worker.open(sensor_of(), schedule_of(chosen.seconds))
        waited = 0.0
        first = time.perf_counter()
        for frame_set, face in shown:
            before = time.perf_counter()
            worker.observe(frame_set, face)
            waited += time.perf_counter() - before
        peak_mib = _peak_mib(worker.pid)
        answers = worker.conclude()
        wall = time.perf_counter() - first
    assert all(answer.evidence is not None for answer in answers)
    copied = 1e3 * waited / len(shown)
    print(
        f"worker: start returns in {1e3 * (started - start):.1f} ms, ready after {ready - start:.2f} s, peak {peak_mib} MiB"
    )
    print(
        f"worker: {1e3 * wall / slots:.2f} ms a slot, {1e3 * wall / slots / total:.2f} of the gates in this process; "
        f"showing a set takes the caller {copied:.2f} ms on average, back-pressure included"
    )
    paced(policy, shown)


def paced(policy: object, shown: list[Shown]) -> None:
    """The caller's cost when sets come at the pace of a sensor: the copy and one message."""
    took = []
    with GateWorker(policy) as worker:  # type: ignore[arg-type]
        worker.start()
        worker.open(sensor_of(), schedule_of(5))
        for frame_set, face in shown[:20]:
            before = time.perf_counter()
            worker.observe(frame_set, face)
            took.append(1e3 * (time.perf_counter() - before))
            time.sleep(len(frame_set.slots) / 30.0)
        worker.conclude()
    sizes = [
        sum(memoryview(frame.data).nbytes for slot in each.slots for frame in slot.frames) for each, _ in shown[:20]
    ]
    target = bytearray(max(sizes))
    block = bytes(max(sizes))
    before = time.perf_counter()
    for _ in range(20):
        target[:] = block
    plain = 1e3 * (time.perf_counter() - before) / 20
    print(
        f"worker: showing a set at the sensor's pace takes {np.median(took):.2f} ms "
        f"({np.median(sizes) / 1e6:.1f} MB); a plain copy of {max(sizes) / 1e6:.1f} MB takes {plain:.2f} ms"
    )


def _peak_mib(pid: int | None) -> str:
    """Peak resident memory of the worker, where the system tells it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "?"
    return f"{int(next(line for line in status.splitlines() if line.startswith('VmHWM')).split()[1]) / 1024:.0f}"


if __name__ == "__main__":
    main()
