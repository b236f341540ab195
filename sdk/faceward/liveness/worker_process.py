"""The gates' own process: imports the named gates, shows them frames, passes on what they answer.

It holds no key, no store and no way to the sensor, and can read none (faceward.liveness.confinement). Frames lie in
memory that the caller's process fills and that is mapped here read-only. Nothing that a gate raises ends this process;
what a gate breaks beyond that, the caller kills.
"""

from __future__ import annotations

import mmap
import os
import resource
import threading
from collections.abc import Sequence
from typing import Any

from faceward.errors import ConfigError, FacewardError
from faceward.liveness.confinement import Confinement
from faceward.liveness.gate import GateContext, GateSession
from faceward.liveness.loader import LoadedGate, load_gates
from faceward.liveness.worker_messages import (
    ChannelBroken,
    Receiver,
    Sender,
    evidence_to_json,
    pack_reply,
    requirements_to_json,
    unpack_order,
)
from faceward.model.face import FaceObservation
from faceward.model.frame import Frame, FrameSet, IlluminationSchedule, SensorInfo, Slot
from faceward.model.liveness import Evidence, Requirements

HEADER_BYTES = mmap.ALLOCATIONGRANULARITY
NOBODY = 0xFF
ORDER_CAP_BYTES = 16 * 1024 * 1024
_PROBLEM_CHARACTERS = 300


class WorkerProcess:
    """Carries out the orders of one capture, in the order in which they come."""

    def __init__(self, orders: Receiver, replies: Sender, region_fd: int) -> None:
        self._orders = orders
        self._replies = replies
        self._region_fd = region_fd
        self._gates: tuple[LoadedGate, ...] = ()
        self._sessions: dict[str, GateSession] = {}
        self._problems: dict[str, str] = {}
        self._cells: memoryview = memoryview(b"")
        self._at_work: mmap.mmap | None = None

    def run(self, confined: Confinement) -> None:
        """Say how it is confined, before any gate is imported; then until the answers are given or the caller is gone."""
        try:
            self._reply("confined", **confined._asdict())
            while True:
                order = unpack_order(self._orders.receive(None))
                getattr(self, f"_{order[0]}")(*order[1:])
                if order[0] == "conclude":
                    return
        except ChannelBroken:
            return

    def _reply(self, kind: str, **values: object) -> None:
        self._replies.send(pack_reply(kind, **values), None)

    def _load(self, refs: Sequence[Any]) -> None:
        try:
            self._gates = load_gates(refs)
        except FacewardError as error:
            self._reply("failed", config=isinstance(error, ConfigError), message=str(error))
            return
        gates = [[gate.name, gate.version, gate.distribution] for gate in self._gates]
        self._reply("ready", gates=gates)

    def _require(self, name: str, sensor: SensorInfo) -> None:
        gate = next(gate for gate in self._gates if gate.name == name)
        try:
            needs = gate.gate.requirements(sensor)
            if not isinstance(needs, Requirements):
                raise TypeError(f"requirements() gave a {type(needs).__name__}")
            reply: dict[str, object] = {"needs": requirements_to_json(needs)}
        except BaseException as error:  # noqa: BLE001 - whatever a gate raises is the gate's fault alone
            reply = {"problem": _problem(error)}
        self._reply("requirements", gate=name, **reply)

    def _open(self, sensor: SensorInfo, schedule: IlluminationSchedule) -> None:
        size = os.fstat(self._region_fd).st_size
        self._at_work = mmap.mmap(self._region_fd, HEADER_BYTES)
        cells = mmap.mmap(self._region_fd, size - HEADER_BYTES, prot=mmap.PROT_READ, offset=HEADER_BYTES)
        self._cells = memoryview(cells).toreadonly()
        for index, gate in enumerate(self._gates):
            self._mark(index)
            try:
                self._sessions[gate.name] = gate.gate.open(GateContext(sensor, schedule, dict(gate.thresholds)))
            except BaseException as error:  # noqa: BLE001 - as above
                self._problems[gate.name] = f"could not open: {_problem(error)}"
        self._mark(NOBODY)

    def _observe(self, index: int, rows: Sequence[Any], face: FaceObservation) -> None:
        frame_set = FrameSet(index, tuple(Slot(self._placed(infrared), self._placed(depth)) for infrared, depth in rows))
        for position, gate in enumerate(self._gates):
            session = self._sessions.get(gate.name)
            if session is None:
                continue
            self._mark(position)
            try:
                session.observe(frame_set, face)
            except BaseException as error:  # noqa: BLE001 - as above
                self._problems[gate.name] = f"observe() raised {_problem(error)}"
                del self._sessions[gate.name]
        self._mark(NOBODY)
        self._reply("seen", index=index)

    def _conclude(self) -> None:
        for position, gate in enumerate(self._gates):
            session = self._sessions.get(gate.name)
            if session is None:
                self._reply("answer", gate=gate.name, problem=self._problems.get(gate.name, "never opened"))
                continue
            self._mark(position)
            try:
                evidence = session.conclude()
                if not isinstance(evidence, Evidence):
                    raise TypeError(f"answered with a {type(evidence).__name__}, and not with Evidence")
                reply = pack_reply("answer", gate=gate.name, evidence=evidence_to_json(evidence))
            except BaseException as error:  # noqa: BLE001 - as above
                reply = pack_reply("answer", gate=gate.name, problem=f"conclude(): {_problem(error)}")
            self._replies.send(reply, None)
        self._mark(NOBODY)

    def _mark(self, position: int) -> None:
        if self._at_work is not None:
            self._at_work[0] = position

    def _frame(self, fields: tuple[Any, ...], start: int, length: int) -> Frame:
        stream, width_px, height_px, *rest = fields
        return Frame(stream, width_px, height_px, self._cells[start : start + length], *rest)

    def _placed(self, row: tuple[Any, int, int] | None) -> Frame | None:
        return None if row is None else self._frame(*row)


def _problem(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:_PROBLEM_CHARACTERS]


def _end_with(lifeline_fd: int) -> None:
    """Die with the caller, even while a gate hangs: the lifeline's other end closes when the caller is gone."""
    os.read(lifeline_fd, 1)
    os._exit(0)


def main(confined: Confinement, orders_fd: int, replies_fd: int, region_fd: int, lifeline_fd: int) -> None:
    """The process's whole life, in which it is confined so far."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold faces
    threading.Thread(target=_end_with, args=(lifeline_fd,), daemon=True).start()
    WorkerProcess(Receiver(orders_fd, ORDER_CAP_BYTES), Sender(replies_fd), region_fd).run(confined)
    os._exit(0)  # a gate's threads and exit handlers have no say
