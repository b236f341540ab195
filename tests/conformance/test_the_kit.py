"""The kit finds gates that break the contract: each broken gate fails the test that is named for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

BROKEN = """
import time
import numpy as np
import pytest
from faceward.plugin import *
from faceward_sim.conformance.gate import GateContract


class Session(GateSession):
    def __init__(self, gate, context):
        self.gate, self.context, self.covered, self.first = gate, context, set(), None

    def observe(self, frame_set, face):
        self.covered.update(frame_set.digests)

    def conclude(self):
        return Evidence(Outcome.INCONCLUSIVE, "x", "x", (), float("nan"), frozenset(self.covered))


class Gate(LivenessGate):
    name, version, session = "broken", "1", Session

    def requirements(self, sensor):
        return Requirements(depth=True, flood_hz=5.0)

    def thresholds(self):
        return {}

    def open(self, context):
        return self.session(self, context)


def live(session):
    return Evidence(Outcome.LIVE, "x", "x", (), 1.0, frozenset(session.covered))


class Sound(Gate):
    pass


class Misnamed(Gate):
    name = "Not A Name"


class Greedy(Gate):
    def requirements(self, sensor):
        return Requirements(flood_hz=40.0)


class Fickle(Gate):
    def thresholds(self):
        return {"limit": float("nan")}


class Credulous(Gate):
    class session(Session):
        conclude = live


class Keeper(Gate):
    class session(Session):
        def observe(self, frame_set, face):
            super().observe(frame_set, face)
            self.first = self.first or frame_set.slots[0].infrared

        def conclude(self):
            value = float(self.first.pixels.mean()) if self.first else 0.0
            return Evidence(Outcome.INCONCLUSIVE, "x", "x", (Measure("mean", value, ""),), 0.0, frozenset(self.covered))


class Scribbler(Gate):
    class session(Session):
        def observe(self, frame_set, face):
            super().observe(frame_set, face)
            for slot in frame_set.slots:
                for frame in slot.frames:
                    memoryview(frame.data)[0] = 1


class Random(Gate):
    class session(Session):
        def conclude(self):
            return Evidence(Outcome.INCONCLUSIVE, "x", str(time.perf_counter_ns()), (), 0.0)


class Shared(Gate):
    class session(Session):
        def observe(self, frame_set, face):
            self.gate.covered = getattr(self.gate, "covered", set())
            self.gate.covered.update(frame_set.digests)
            self.covered = self.gate.covered


class Claimant(Gate):
    class session(Session):
        def conclude(self):
            return Evidence(Outcome.INCONCLUSIVE, "x", "x", (), 0.0, frozenset({b"x" * 32}))


class Blind(Gate):
    class session(Session):
        def observe(self, frame_set, face):
            np.linalg.inv(frame_set.depth.pixels[:5, :5].astype(float))


class Nothing(Gate):
    class session(Session):
        def conclude(self):
            return None


def contract(kind):
    class Test(GateContract):
        @pytest.fixture
        def gate(self):
            return kind()

    return Test


for kind in (Sound, Misnamed, Greedy, Fickle, Credulous, Keeper, Scribbler, Random, Shared, Claimant, Blind, Nothing):
    globals()["Test" + kind.__name__] = contract(kind)
del kind
"""

MUST_FAIL = {
    ("Misnamed", "test_it_says_who_it_is"),
    ("Greedy", "test_it_asks_for_what_a_sensor_can_give"),
    ("Fickle", "test_its_thresholds_are_numbers_and_stay_the_same"),
    ("Credulous", "test_whoever_saw_nothing_says_nothing_of_life"),
    ("Credulous", "test_a_sensor_without_a_stream_it_needs_is_never_live"),
    ("Credulous", "test_a_stream_that_is_promised_and_never_comes_is_never_live"),
    ("Credulous", "test_garbage_is_never_live_and_never_raises[zeros]"),
    ("Credulous", "test_nobody_there_is_never_live_for_a_gate_of_faces"),
    ("Keeper", "test_nothing_is_kept_of_a_frames_memory"),
    ("Scribbler", "test_frames_can_be_read_only"),
    ("Random", "test_the_same_frames_give_the_same_answer"),
    ("Shared", "test_sessions_know_nothing_of_each_other"),
    ("Claimant", "test_whoever_saw_nothing_says_nothing_of_life"),
    ("Blind", "test_garbage_is_never_live_and_never_raises[zeros]"),
    ("Blind", "test_a_stream_that_is_promised_and_never_comes_is_never_live"),
    ("Nothing", "test_it_answers_with_evidence_and_does_not_hang"),
}


def test_each_broken_gate_fails_the_test_that_is_named_for_it_and_a_sound_one_none(tmp_path: Path):
    (tmp_path / "test_broken.py").write_text(BROKEN)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = ["test_broken.py::TestSound", *(f"test_broken.py::Test{kind}::{test}" for kind, test in sorted(MUST_FAIL))]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rf", "--tb=no", *run]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    failed = set(re.findall(r"FAILED test_broken\.py::Test(\w+)::(\S+)", done.stdout))
    assert failed == MUST_FAIL, f"{MUST_FAIL ^ failed}\n{done.stdout}\n{done.stderr}"
    assert re.search(r"\d+ passed", done.stdout), done.stdout
