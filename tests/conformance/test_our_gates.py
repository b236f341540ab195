"""Our own gates keep the contract that a third party's must."""

from __future__ import annotations

import pytest
from faceward_gates import challenge_echo, continuity, flatness, skin_optics
from faceward_sim.conformance.gate import GateContract


class TestChallengeEcho(GateContract):
    @pytest.fixture
    def gate(self):
        return challenge_echo.faceward_gate()


class TestContinuity(GateContract):
    @pytest.fixture
    def gate(self):
        return continuity.faceward_gate()


class TestFlatness(GateContract):
    @pytest.fixture
    def gate(self):
        return flatness.faceward_gate()


class TestSkinOptics(GateContract):
    @pytest.fixture
    def gate(self):
        return skin_optics.faceward_gate()
