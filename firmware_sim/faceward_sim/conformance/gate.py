"""What every liveness gate must keep. Subclass `GateContract` and give it your gate:

class TestMyGate(GateContract):
    @pytest.fixture
    def gate(self):
        return MyGate()
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from faceward.plugin import (
    Evidence,
    FaceObservation,
    Frame,
    FrameSet,
    GateContext,
    GateSession,
    LivenessGate,
    Measure,
    Outcome,
    Requirements,
    SensorInfo,
    Slot,
    Stream,
)

from faceward_sim.conformance.scene import (
    Scene,
    Shown,
    draw,
    filled,
    schedule_of,
    sensor_of,
    sheet_mm,
    without_depth,
    without_infrared,
)

_HUNG_S = 60.0  # no measurement: whoever has not answered by then is taken to hang
_WIDTH_PX = 320

# What may come out of a broken or hostile sensor: each changes a frame's pixels in place.
GARBAGE: dict[str, Callable[[np.ndarray, np.random.Generator], object]] = {
    "zeros": lambda pixels, rng: pixels.fill(0),
    "saturation": lambda pixels, rng: pixels.fill(65535),
    "noise": lambda pixels, rng: np.copyto(pixels, rng.integers(0, 65536, pixels.shape, np.uint16)),
    "stripes": lambda pixels, rng: np.copyto(pixels, (np.arange(pixels.shape[1]) % 2 * 65534 + 1).astype(np.uint16)),
    "one value": lambda pixels, rng: pixels.fill(4000),
}


class GateContract:
    """The contract of a gate, as tests."""

    @pytest.fixture
    def gate(self) -> LivenessGate:
        """The gate on trial."""
        raise pytest.UsageError("a subclass of GateContract has a fixture `gate` that returns the gate")

    @pytest.fixture
    def judge(self, gate: LivenessGate) -> Callable[..., Evidence]:
        """Shows a capture to a new session of the gate and returns its evidence."""

        def run(shown: Sequence[Shown], sensor: SensorInfo | None = None) -> Evidence:
            session = _open(gate, sensor or sensor_of(_WIDTH_PX))
            for frame_set, face in shown:
                session.observe(frame_set, face)
            evidence = session.conclude()
            _check_form(evidence, shown)
            return evidence

        return run

    @pytest.fixture
    def head(self) -> Sequence[Shown]:
        """A drawn head for four seconds."""
        return _drawn_head()

    def test_it_says_who_it_is(self, gate: LivenessGate) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", gate.name)
        assert isinstance(gate.version, str)
        assert gate.version

    def test_its_thresholds_are_numbers_and_stay_the_same(self, gate: LivenessGate) -> None:
        first, second = dict(gate.thresholds()), dict(gate.thresholds())
        assert first == second
        assert all(isinstance(name, str) and name for name in first)
        assert all(not isinstance(value, bool) and math.isfinite(value) for value in first.values())

    def test_it_asks_for_what_a_sensor_can_give(self, gate: LivenessGate) -> None:
        sensor = sensor_of(_WIDTH_PX)
        needs = gate.requirements(sensor)
        assert isinstance(needs, Requirements)
        assert needs == gate.requirements(sensor)
        rates = (needs.dots_hz, needs.flood_hz, needs.flood_second_hz, needs.off_hz)
        assert all(math.isfinite(rate) and rate >= 0 for rate in (*rates, needs.seconds))
        assert sum(rates) <= sensor.slot_rate_hz
        assert needs.seconds <= 30.0

    def test_whoever_saw_nothing_says_nothing_of_life(self, judge: Callable[..., Evidence]) -> None:
        evidence = judge([])
        assert evidence.outcome not in (Outcome.LIVE, Outcome.NOT_LIVE)
        assert not evidence.covered

    def test_a_sensor_without_a_stream_it_needs_is_never_live(
        self, gate: LivenessGate, judge: Callable[..., Evidence], head: Sequence[Shown]
    ) -> None:
        sensor = sensor_of(_WIDTH_PX)
        if gate.requirements(sensor).depth:
            flat = replace(sensor, streams=frozenset({Stream.INFRARED}))
            assert judge(without_depth(head), flat).outcome is not Outcome.LIVE
        needs = gate.requirements(sensor)
        if needs.dots_hz or needs.flood_hz or needs.off_hz or needs.flood_second_hz:
            dark = replace(sensor, streams=frozenset({Stream.DEPTH}))
            evidence = judge(without_infrared(head), dark)
            assert evidence.outcome is not Outcome.LIVE or needs.depth

    def test_a_stream_that_is_promised_and_never_comes_is_never_live(
        self, gate: LivenessGate, judge: Callable[..., Evidence], head: Sequence[Shown]
    ) -> None:
        needs = gate.requirements(sensor_of(_WIDTH_PX))
        if needs.depth:
            assert judge(without_depth(head)).outcome is not Outcome.LIVE
        if not needs.depth:
            assert judge(without_infrared(head)).outcome is not Outcome.LIVE

    @pytest.mark.parametrize("garbage", sorted(GARBAGE))
    def test_garbage_is_never_live_and_never_raises(
        self, judge: Callable[..., Evidence], head: Sequence[Shown], garbage: str
    ) -> None:
        assert judge(filled(head, GARBAGE[garbage])).outcome is not Outcome.LIVE

    @pytest.mark.parametrize("garbage", sorted(GARBAGE))
    def test_garbage_with_a_face_claimed_in_it_never_raises(
        self, judge: Callable[..., Evidence], head: Sequence[Shown], garbage: str
    ) -> None:
        claimed = [
            (frame_set, face) for (frame_set, _), (_, face) in zip(filled(head, GARBAGE[garbage]), head, strict=True)
        ]
        judge(claimed)

    @pytest.mark.parametrize("bad", ["nan", "outside", "huge", "empty"])
    def test_a_face_that_cannot_be_never_raises(
        self, judge: Callable[..., Evidence], head: Sequence[Shown], bad: str
    ) -> None:
        value = {"nan": math.nan, "outside": -5e4, "huge": 1e9, "empty": 0.0}[bad]
        strange = [(frame_set, _with_faces_at(face, value)) for frame_set, face in head]
        judge(strange)

    def test_nobody_there_is_never_live_for_a_gate_of_faces(self, judge: Callable[..., Evidence]) -> None:
        empty = draw(Scene(relief=None, width_px=_WIDTH_PX))
        assert judge(empty).outcome is not Outcome.LIVE

    def test_the_same_frames_give_the_same_answer(self, judge: Callable[..., Evidence], head: Sequence[Shown]) -> None:
        assert _facts(judge(head)) == _facts(judge(head))

    def test_nothing_is_kept_of_a_frames_memory(
        self, gate: LivenessGate, judge: Callable[..., Evidence], head: Sequence[Shown]
    ) -> None:
        session = _open(gate, sensor_of(_WIDTH_PX))
        for frame_set, face in head:
            lent, memory = _lend(frame_set)
            session.observe(lent, face)
            for buffer in memory:
                buffer[:] = b"\xa5" * len(buffer)
        assert _facts(session.conclude()) == _facts(judge(head))

    def test_frames_can_be_read_only(self, gate: LivenessGate, head: Sequence[Shown]) -> None:
        session = _open(gate, sensor_of(_WIDTH_PX))
        for frame_set, face in head:
            lent, memory = _lend(frame_set)
            before = [bytes(buffer) for buffer in memory]
            session.observe(lent, face)
            assert [bytes(buffer) for buffer in memory] == before

    def test_sessions_know_nothing_of_each_other(
        self, gate: LivenessGate, judge: Callable[..., Evidence], head: Sequence[Shown]
    ) -> None:
        sheet = draw(Scene(relief=sheet_mm, width_px=_WIDTH_PX, seed=3, identity=(0.0, 1.0, 0.0, 0.0)))
        sensor = sensor_of(_WIDTH_PX)
        one, two = _open(gate, sensor), _open(gate, sensor)
        for (head_set, head_face), (sheet_set, sheet_face) in zip(head, sheet, strict=True):
            one.observe(head_set, head_face)
            two.observe(sheet_set, sheet_face)
        assert _facts(one.conclude()) == _facts(judge(head))
        assert _facts(two.conclude()) == _facts(judge(sheet))

    def test_what_is_live_covers_frames_and_only_frames_that_were_shown(
        self, judge: Callable[..., Evidence], head: Sequence[Shown]
    ) -> None:
        evidence = judge(head)
        if evidence.outcome is Outcome.LIVE:
            assert evidence.covered

    def test_it_answers_with_evidence_and_does_not_hang(self, gate: LivenessGate, head: Sequence[Shown]) -> None:
        answers: list[object] = []

        def work() -> None:
            session = _open(gate, sensor_of(_WIDTH_PX))
            for frame_set, face in head:
                session.observe(frame_set, face)
            answers.append(session.conclude())

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(_HUNG_S)
        assert answers, f"no answer within {_HUNG_S:g} s"
        _check_form(answers[0], head)


@cache
def _drawn_head() -> tuple[Shown, ...]:
    """Drawn once: frames can't be changed, so tests can share them."""
    return tuple(draw(Scene(width_px=_WIDTH_PX)))


def _open(gate: LivenessGate, sensor: SensorInfo) -> GateSession:
    session = gate.open(GateContext(sensor, schedule_of(), dict(gate.thresholds())))
    assert isinstance(session, GateSession)
    return session


def _check_form(evidence: object, shown: Sequence[Shown]) -> None:
    """What the decision loop demands of an answer before it reads the outcome."""
    assert type(evidence) is Evidence
    assert type(evidence.outcome) is Outcome
    assert isinstance(evidence.cue, str)
    assert evidence.cue
    assert isinstance(evidence.reason, str)
    assert evidence.reason
    assert type(evidence.measures) is tuple
    assert all(type(measure) is Measure for measure in evidence.measures)
    assert type(evidence.covered) is frozenset
    assert evidence.covered <= {digest for frame_set, _ in shown for digest in frame_set.digests}
    if evidence.outcome in (Outcome.LIVE, Outcome.NOT_LIVE):
        assert math.isfinite(evidence.score)
        assert all(math.isfinite(measure.value) for measure in evidence.measures)
    if evidence.outcome is Outcome.LIVE:
        assert all(measure.passes is not False for measure in evidence.measures)


def _facts(evidence: Evidence) -> tuple[object, ...]:
    """Everything in an evidence, comparable although NaN is not equal to itself."""
    measures = [(each.name, repr(each.value), each.unit, repr(each.limit), each.sense) for each in evidence.measures]
    return evidence.outcome, evidence.cue, evidence.reason, measures, repr(evidence.score), evidence.covered


def _lend(frame_set: FrameSet) -> tuple[FrameSet, list[bytearray]]:
    """The set over memory that is taken back, as in the gates' worker."""
    memory: list[bytearray] = []

    def lend(frame: Frame | None) -> Frame | None:
        if frame is None:
            return None
        memory.append(bytearray(frame.data))
        return replace(frame, data=memoryview(memory[-1]).toreadonly())

    slots = tuple(Slot(lend(slot.infrared), lend(slot.depth)) for slot in frame_set.slots)
    return FrameSet(frame_set.index, slots), memory


def _with_faces_at(face: FaceObservation, value: float) -> FaceObservation:
    marks = np.full((5, 2), value, np.float32)
    strange = tuple(
        replace(sighting, box_px=(value, value, value, value), landmarks_px=marks, distance_mm=None, pose=None)
        for sighting in face.sightings
    )
    identity = None if face.identity is None else np.full_like(face.identity, np.nan)
    return replace(face, sightings=strange, identity=identity)
