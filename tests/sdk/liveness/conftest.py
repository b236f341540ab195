"""Plugins that are installed for one test: real metadata, real modules, on the search path of this test alone."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from faceward.config import AttemptLimits, GateRef, PluginRef, Policy, ProviderRef, RecordTerms
from faceward.model.face import FaceObservation
from faceward.model.frame import (
    Calibration,
    Frame,
    FrameSet,
    Illumination,
    IlluminationSchedule,
    Intrinsics,
    Prompt,
    SensorInfo,
    SensorKind,
    Slot,
    Stream,
    StreamProfile,
    digest_of,
)

Install = Callable[..., Path]

GATE_SOURCE = """
    from faceward.plugin import Evidence, GateSession, LivenessGate, Outcome, Requirements, hookimpl

    class Session(GateSession):
        def __init__(self, context):
            self.context = context
            self.covered = set()

        def observe(self, frame_set, face):
            self.covered.update(frame_set.digests)
            {observe}

        def conclude(self):
            {conclude}
            return Evidence(Outcome.LIVE, "toy", "a toy", (), 1.0, frozenset(self.covered))

    class Gate(LivenessGate):
        name = "{name}"
        version = "7"

        def requirements(self, sensor):
            {requirements}
            return Requirements(depth=True, flood_hz=3.0)

        def thresholds(self):
            return {{"limit": 0.5}}

        def open(self, context):
            {open}
            return Session(context)

    @hookimpl
    def faceward_gate():
        return Gate()
"""


def source_of_gate(name: str, **bodies: str) -> str:
    """The source of a gate that says LIVE, with lines of the test's own in its methods."""
    filled = {"observe": "pass", "conclude": "pass", "requirements": "pass", "open": "pass", **bodies}
    return textwrap.dedent(GATE_SOURCE).format(name=name, **filled)


@dataclass
class SearchPath:
    """Installs distributions into folders of the test."""

    folder: Path
    add: Callable[[str], None]
    count: int = field(default=0)

    def install(
        self,
        distribution: str,
        modules: Mapping[str, str],
        entry_points: Mapping[str, str],
        *,
        version: str = "1.0",
        group: str = "faceward.plugins.v1",
    ) -> Path:
        self.count += 1
        site = self.folder / f"site{self.count}"
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        files = {f"{name}.py": textwrap.dedent(source) for name, source in modules.items()}
        files[f"{info.name}/METADATA"] = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        lines = "".join(f"{name} = {target}\n" for name, target in entry_points.items())
        files[f"{info.name}/entry_points.txt"] = f"[{group}]\n{lines}"
        record = "".join(f"{name},sha256={sha256(text.encode()).hexdigest()},\n" for name, text in files.items())
        files[f"{info.name}/RECORD"] = record + f"{info.name}/RECORD,,\n"
        for name, text in files.items():
            (site / name).parent.mkdir(exist_ok=True)
            (site / name).write_text(text)
        self.add(str(site))
        return site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SearchPath:
    return SearchPath(tmp_path, monkeypatch.syspath_prepend)


@pytest.fixture
def gate_source() -> Callable[..., str]:
    return source_of_gate


def policy_with(*gates: GateRef, gate_timeout_s: float = 5.0, **changes: object) -> Policy:
    part = PluginRef("part", "parts", "1.0")
    provider = ProviderRef("part", "parts", "1.0")
    fields: dict[str, object] = {
        "path": Path("policy.toml"), "hash": bytes(32), "mode": "development", "level": "standard",
        "allow_unattested": True, "gate_timeout_s": gate_timeout_s, "capture_transports": frozenset({"usb"}),
        "evaluate_transports": frozenset({"usb"}), "gates": gates, "drivers": (part,), "extractor": part,
        "signer": provider, "key_provider": provider, "observers": (), "match_threshold": None,
        "attempts": AttemptLimits(), "records": RecordTerms("tests", "bench"),
    }  # fmt: skip
    return Policy(**{**fields, **changes})  # type: ignore[arg-type]


CAMERA = Intrinsics(16, 12, 14.0, 14.0, 7.5, 5.5)
CALIBRATION = Calibration(
    infrared=CAMERA, depth=CAMERA, depth_unit_um=1000.0, baseline_mm=40.0, depth_min_mm=200.0, depth_max_mm=1500.0,
    dot_pitch_mrad=8.0, dot_spot_mrad=1.0, lens_mtf50_cy_per_px=0.3, flood_counts_per_us_at_1m=1.0,
    flood_second_counts_per_us_at_1m=0.0, dot_counts_per_us_at_1m=1.0, black_level_counts=64.0,
    read_noise_counts=2.0, counts_per_electron=0.5, saturation_counts=4095.0,
)  # fmt: skip
SENSOR = SensorInfo(
    address="usb:1209:0001", vendor="V", model="M", serial="S", firmware_version="1", hardware_revision="1",
    kind=SensorKind.STRUCTURED_LIGHT, wavelengths_nm={Illumination.DOTS: 940, Illumination.FLOOD: 940},
    slot_rate_hz=30.0, max_schedule_slots=4096, calibration=CALIBRATION,
    profiles=(StreamProfile(16, 12, 30.0, 10.0),),
)  # fmt: skip
SCHEDULE = IlluminationSchedule(bytes(8), bytes([1, 2, 2] * 10))
NOBODY = FaceObservation((), 0, Prompt.NONE, None)


def frame_of(stream: Stream, slot: int, illumination: Illumination) -> Frame:
    data = np.random.default_rng([int(stream), slot]).integers(64, 4000, 16 * 12, dtype=np.uint16).tobytes()
    return Frame(
        stream, 16, 12, data, slot, slot, slot * 33_333, 5000, 1.0, illumination, 940, 35.0, bytes(8), digest_of(data)
    )


def sets_of_three(count: int) -> list[FrameSet]:
    """Sets of a dots slot with depth and two flood slots."""
    made = []
    for index in range(count):
        first = 3 * index
        slots = [
            Slot(frame_of(Stream.INFRARED, first, Illumination.DOTS), frame_of(Stream.DEPTH, first, Illumination.DOTS)),
            *(Slot(frame_of(Stream.INFRARED, slot, Illumination.FLOOD)) for slot in (first + 1, first + 2)),
        ]
        made.append(FrameSet(index, tuple(slots)))
    return made


@pytest.fixture
def policy_of() -> Callable[..., Policy]:
    """A policy of the test's gates, with everything else in place."""
    return policy_with


@pytest.fixture
def frame_sets() -> Callable[[int], list[FrameSet]]:
    return sets_of_three


@pytest.fixture
def sensor() -> SensorInfo:
    return SENSOR


@pytest.fixture
def schedule() -> IlluminationSchedule:
    return SCHEDULE


@pytest.fixture
def nobody() -> FaceObservation:
    return NOBODY
