"""The gates' worker, seen from the caller: frames go out through shared memory, answers come back before a deadline.

The process is started from scratch, so that it inherits nothing: neither memory nor files nor environment, only
Python's search path, and before anything is imported it gives up every file but code (faceward.liveness.confinement).
The shared memory has no name, hence nothing is left of it however either side ends. All gates of a policy share one
process: a hostile gate can spoil, or fake, the answers of the gates beside it, and nothing else of the caller's.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from faceward.errors import ConfigError, PluginError
from faceward.liveness.worker_messages import (
    ChannelBroken,
    ChannelLate,
    Receiver,
    Sender,
    evidence_from_json,
    pack_order,
    requirements_from_json,
    unpack_reply,
)
from faceward.model.liveness import Evidence, Requirements

if TYPE_CHECKING:
    from faceward.config import Policy
    from faceward.model.face import FaceObservation
    from faceward.model.frame import Frame, FrameSet, IlluminationSchedule, SensorInfo

START_TIMEOUT_S = 20.0  # importing numpy and OpenCV from a cold disk on a small computer, with room
CELLS = 40  # frames under way: at 640 x 480, 24.6 MB, and untouched cells cost nothing
SETS_UNDER_WAY = 8
_HEADER_BYTES = mmap.ALLOCATIONGRANULARITY
_NOBODY = 0xFF

# -I keeps PYTHON* variables, the user's folder and the working directory out of it; the search path is the caller's.
# What comes before `confine` is this package's own and imports nothing but the standard library.
_BOOT = (
    "import json,pathlib,sys;"
    "sys.path[:]=json.loads(sys.argv[1]);"
    "from faceward.liveness.confinement import confine,readable;"
    "confined=confine(readable(sys.path,pathlib.Path(sys.argv[2])));"
    "from faceward.liveness.worker_process import main;"
    "main(confined,*map(int,sys.argv[3:]))"
)


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What came from one gate: its evidence, or the problem that stands in its place."""

    gate: str
    evidence: Evidence | None
    problem: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RemoteGate:
    """A gate as the caller's process knows it. Its code runs in the worker only."""

    name: str
    version: str
    distribution: str
    worker: GateWorker

    def requirements(self, sensor: SensorInfo) -> Requirements:
        """What the gate needs of a capture on that sensor. Raises: PluginError when it fails to say so in time."""
        return self.worker.requirements(self.name, sensor)


class GateWorker:
    """Judges one capture: `start`, `gates`, `open`, `observe` for each frame set, `conclude`. Then it is spent.

    One thread at a time may call it. After `start` nothing that a gate does raises here, save in `gates` and
    `requirements`, which come before the capture; a gate that breaks is answered for by `conclude`. Leaving the
    context, or `close`, kills the process.
    """

    def __init__(self, policy: Policy, *, start_timeout_s: float = START_TIMEOUT_S, cells: int = CELLS) -> None:
        self._refs = [replace(ref, thresholds=dict(ref.thresholds)) for ref in policy.gates]
        self._timeout_s = policy.gate_timeout_s
        self._private = policy.path.absolute().parent
        self._production = policy.production
        self._start_timeout_s = start_timeout_s
        self._cell_count = cells
        self._cell_bytes = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._fds: list[int] = []
        self._region_fd = -1
        self._region: mmap.mmap | None = None
        self._gates: tuple[RemoteGate, ...] | None = None
        self._free: list[int] = []
        self._under_way: dict[int, list[int]] = {}
        self._answers: dict[str, GateAnswer] = {}
        self._seen: set[bytes] = set()
        self._problem: str | None = None

    def start(self) -> None:
        """Start the process and return at once, so that its imports pass while the sensor is being opened.

        Raises: PluginError when no process can be started.
        """
        region_fd = _anonymous_file()
        orders_out, orders_in = os.pipe()
        replies_out, replies_in = os.pipe()
        lifeline_out, lifeline_in = os.pipe()
        theirs = (orders_out, replies_in, region_fd, lifeline_out)
        self._fds = [orders_in, replies_out, region_fd, lifeline_in]
        path = [str(Path(entry).absolute()) for entry in sys.path]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, json.dumps(path), str(self._private), *map(str, theirs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=theirs,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is the caller's to handle
            )
        except OSError as error:
            self.close()
            raise PluginError(f"the gates' process can't be started: {error}") from error
        finally:
            for fd in (orders_out, replies_in, lifeline_out):
                os.close(fd)
        os.set_blocking(orders_in, False)
        os.set_blocking(replies_out, False)
        self._region_fd = region_fd
        self._sender, self._receiver = Sender(orders_in), Receiver(replies_out)
        self._order("load", self._refs)

    @property
    def gates(self) -> tuple[RemoteGate, ...]:
        """The policy's gates in name order, once the worker has imported them.

        Raises: PluginError, ConfigError: what the loader found wrong, no answer in time, or a production policy on a
        kernel that can't keep gates from the host's keys or from calling somebody.
        """
        if self._gates is None:
            confined = self._expect(("confined",), self._start_timeout_s, "did not start")
            if self._production and not confined.get("landlock"):
                self.close()
                raise PluginError(
                    "this kernel can't keep gates from the host's keys, which production asks for: it needs Landlock "
                    "(Linux 5.13 or later, with landlock among its security modules)"
                )
            if self._production and confined.get("no_sockets") is not True:
                self.close()
                raise PluginError(
                    "this kernel can't keep gates from calling somebody, which production asks for: it needs seccomp "
                    "filters (CONFIG_SECCOMP_FILTER) on an architecture that faceward knows"
                )
            reply = self._expect(("ready", "failed"), self._start_timeout_s, "did not start")
            if reply["kind"] == "failed":
                self.close()
                kind = ConfigError if reply.get("config") is True else PluginError
                raise kind(str(reply.get("message")))
            self._gates = self._remote_gates(reply.get("gates"))
        return self._gates

    def requirements(self, name: str, sensor: SensorInfo) -> Requirements:
        """See RemoteGate.requirements."""
        self._known(name)
        self._order("require", name, sensor)
        reply = self._expect(("requirements",), self._timeout_s, f"gate {name!r} did not say what it needs")
        if reply.get("gate") != name or "needs" not in reply:
            raise PluginError(f"gate {name!r} could not say what it needs: {reply.get('problem')}")
        return requirements_from_json(reply["needs"], name)

    def open(self, sensor: SensorInfo, schedule: IlluminationSchedule) -> None:
        """Begin the capture: every gate opens its session. Raises: PluginError, ConfigError as `gates`."""
        if self._problem is None and not self.gates:
            raise PluginError("the policy names no gate")
        sizes = [(profile.width_px, profile.height_px) for profile in sensor.profiles]
        sizes += [(at.width_px, at.height_px) for at in (sensor.calibration.infrared, sensor.calibration.depth)]
        self._cell_bytes = 2 * max(width * height for width, height in sizes)
        size = _HEADER_BYTES + self._cell_count * self._cell_bytes
        if self._problem is None:
            os.ftruncate(self._region_fd, size)
            # Whoever touches a mapping of a file that was cut short is killed: nobody can cut this one.
            fcntl.fcntl(self._region_fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
            self._region = mmap.mmap(self._region_fd, size)
            self._region[0] = _NOBODY
            self._free = list(range(self._cell_count - 1, -1, -1))
            self._order("open", sensor, schedule)

    def observe(self, frame_set: FrameSet, face: FaceObservation) -> None:
        """Show the gates a frame set, once.

        Copies its pixels and returns; waits only while too many are under way, and never longer than the policy's
        gate_timeout_s: then the worker is killed, and `conclude` says so.
        """
        self._seen.update(frame_set.digests)
        if self._problem is not None:
            return
        frames = [frame for slot in frame_set.slots for frame in slot.frames]
        if len(frames) > self._cell_count or any(memoryview(frame.data).nbytes > self._cell_bytes for frame in frames):
            self._fail("a frame set is larger than the room for it")
            return
        deadline = time.monotonic() + self._timeout_s
        try:
            while len(self._free) < len(frames) or len(self._under_way) >= SETS_UNDER_WAY:
                self._take(deadline)
            while self._receiver.ready():
                self._take(deadline)
        except (ChannelBroken, ChannelLate) as error:
            self._fail(self._describe(error))
            return
        cells = [self._free.pop() for _ in frames]
        self._under_way[frame_set.index] = cells
        places = {id(frame): self._place(frame, cell) for frame, cell in zip(frames, cells, strict=True)}
        rows = [
            tuple(None if frame is None else places[id(frame)] for frame in (slot.infrared, slot.depth))
            for slot in frame_set.slots
        ]
        self._order("observe", frame_set.index, rows, face, deadline=deadline)

    def conclude(self, timeout_s: float | None = None) -> tuple[GateAnswer, ...]:
        """Every gate's answer, in name order.

        What has not come within `timeout_s` (None: the policy's gate_timeout_s) is lost and the process is killed;
        answers that came before stand.
        """
        deadline = time.monotonic() + (self._timeout_s if timeout_s is None else timeout_s)
        names = [ref.name for ref in self._refs]
        if self._problem is None:
            self._order("conclude", deadline=deadline)
        try:
            while self._problem is None and len(self._answers) < len(names):
                self._take(deadline)
        except (ChannelBroken, ChannelLate) as error:
            self._fail(self._describe(error))
        problem = self._problem
        self.close()
        return tuple(
            self._answers.get(name) or GateAnswer(name, None, problem or "no answer came") for name in sorted(names)
        )

    @property
    def seen_digests(self) -> frozenset[bytes]:
        """Digests of every frame that was shown to the gates."""
        return frozenset(self._seen)

    @property
    def problem(self) -> str | None:
        """Why the worker is gone before its time, or None: a capture that goes on after it can only be refused."""
        return self._problem

    @property
    def pid(self) -> int | None:
        """The worker's process id, for measuring its memory."""
        return self._process.pid if self._process is not None else None

    def close(self) -> None:
        """Kill the process and give back everything. Idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._region is not None:
            self._region.close()
            self._region = None
        for fd in self._fds:
            os.close(fd)
        self._fds = []
        if self._problem is None:
            self._problem = "the worker is closed"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _known(self, *names: str) -> None:
        known = {gate.name for gate in self.gates}
        for name in names:
            if name not in known:
                raise PluginError(f"the policy names no gate {name!r}")

    def _order(self, kind: str, *arguments: object, deadline: float | None = None) -> None:
        if self._problem is not None:
            return
        by = time.monotonic() + self._timeout_s if deadline is None else deadline
        try:
            self._sender.send(pack_order(kind, *arguments), by)
        except (ChannelBroken, ChannelLate) as error:
            self._fail(self._describe(error))

    def _expect(self, kinds: tuple[str, ...], timeout_s: float, late: str) -> dict[str, Any]:
        if self._process is None:
            raise PluginError(f"the gates' process {late}: {self._problem or 'it was never started'}")
        try:
            reply = unpack_reply(self._receiver.receive(time.monotonic() + timeout_s))
        except (ChannelBroken, ChannelLate) as error:
            self._fail(self._describe(error))
            raise PluginError(f"the gates' process {late}: {self._problem}") from error
        if reply["kind"] not in kinds:
            self._fail("the gates' process answered what it wasn't asked")
            raise PluginError(f"the gates' process {late}: {self._problem}")
        return reply

    def _take(self, deadline: float) -> None:
        """Handle one message of a running capture."""
        reply = unpack_reply(self._receiver.receive(deadline))
        if reply["kind"] == "seen":
            cells = self._under_way.pop(reply.get("index", -1), None) if _is_index(reply.get("index")) else None
            if cells is None:
                raise ChannelBroken("a set was seen that was never shown")
            self._free.extend(reversed(cells))
        elif reply["kind"] == "answer":
            name = reply.get("gate")
            if name not in [ref.name for ref in self._refs] or name in self._answers:
                raise ChannelBroken("an answer from nobody")
            self._answers[name] = _answer(name, reply)
        else:
            raise ChannelBroken("a reply of an unknown kind")

    def _place(self, frame: Frame, cell: int) -> tuple[tuple[Any, ...], int, int]:
        assert self._region is not None
        start, length = cell * self._cell_bytes, memoryview(frame.data).nbytes
        self._region[_HEADER_BYTES + start : _HEADER_BYTES + start + length] = frame.data
        fields = (
            frame.stream, frame.width_px, frame.height_px, frame.sequence, frame.slot, frame.device_time_us,
            frame.exposure_us, frame.gain, frame.illumination, frame.wavelength_nm, frame.temperature_c,
            frame.config_hash, frame.digest, frame.tag,
        )  # fmt: skip
        return fields, start, length

    def _remote_gates(self, rows: Any) -> tuple[RemoteGate, ...]:
        expected = sorted(ref.name for ref in self._refs)
        valid = isinstance(rows, list) and all(isinstance(row, list) and len(row) == 3 for row in rows)
        if not valid or [row[0] for row in rows] != expected:
            self._fail("the gates' process loaded other gates than the policy's")
            raise PluginError(str(self._problem))
        return tuple(RemoteGate(str(row[0]), str(row[1]), str(row[2]), self) for row in rows)

    def _describe(self, error: Exception) -> str:
        """What went wrong, and with which gate at work."""
        at = self._region[0] if self._region is not None else _NOBODY
        names = sorted(ref.name for ref in self._refs)
        who = f"gate {names[at]!r}" if at < len(names) else "the gates' process"
        if isinstance(error, ChannelLate):
            return f"{who} did not answer in time"
        return f"{who} ended or spoke nonsense ({error})"

    def _fail(self, problem: str) -> None:
        if self._problem is None:
            self._problem = problem
        self.close()


def _answer(name: str, reply: Mapping[str, Any]) -> GateAnswer:
    if "problem" in reply:
        return GateAnswer(name, None, str(reply["problem"]))
    try:
        return GateAnswer(name, evidence_from_json(reply.get("evidence")))
    except ValueError as error:
        return GateAnswer(name, None, f"answered junk: {error}")


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _environment() -> dict[str, str]:
    """Nothing of the caller's but what the loader of libraries needs; one thread a library, as gates share a core."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _anonymous_file() -> int:
    """Memory without a name, as a file: it goes when the last process that has it goes. Raises: PluginError."""
    if not hasattr(os, "memfd_create"):
        raise PluginError("gates need memory that two processes share without a name: run this on Linux")
    return os.memfd_create("faceward-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
