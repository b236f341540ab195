"""What the gate answers to light that is and is not the sensor's, on frames made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from acme_ambient_light.gate import AmbientLight
from faceward.plugin import (
    Calibration,
    Evidence,
    FaceObservation,
    FaceSighting,
    Frame,
    FrameSet,
    GateContext,
    Illumination,
    IlluminationSchedule,
    Intrinsics,
    Outcome,
    Prompt,
    SensorInfo,
    SensorKind,
    Slot,
    Stream,
    StreamProfile,
    digest_of,
)

WIDTH, HEIGHT, BLACK = 64, 48, 60.0
EXPOSURE_US = 1000
CAMERA = Intrinsics(WIDTH, HEIGHT, 55.0, 55.0, 31.5, 23.5)
SENSOR = SensorInfo(
    address="usb:0000:0000", vendor="test", model="test", serial="1", firmware_version="1", hardware_revision="1",
    kind=SensorKind.STRUCTURED_LIGHT, wavelengths_nm={Illumination.DOTS: 940, Illumination.FLOOD: 940},
    slot_rate_hz=30.0, max_schedule_slots=4096,
    calibration=Calibration(
        infrared=CAMERA, depth=CAMERA, depth_unit_um=100.0, baseline_mm=40.0, depth_min_mm=200.0, depth_max_mm=1500.0,
        dot_pitch_mrad=10.0, dot_spot_mrad=1.0, lens_mtf50_cy_per_px=0.3, flood_counts_per_us_at_1m=1.0,
        flood_second_counts_per_us_at_1m=0.0, dot_counts_per_us_at_1m=1.0, black_level_counts=BLACK,
        read_noise_counts=2.0, counts_per_electron=0.1, saturation_counts=1023.0,
    ),
    profiles=(StreamProfile(WIDTH, HEIGHT, 30.0, 10.0),),
)  # fmt: skip
FACE = FaceSighting(
    slot=0, faces=1, box_px=(12.0, 8.0, 40.0, 36.0), landmarks_px=np.zeros((5, 2), np.float32), score=0.9, pose=None,
    distance_mm=400.0, mean_counts=300.0, saturated_share=0.0, sharpness=1.0,
)  # fmt: skip


def frame(slot: int, light: Illumination, counts: float) -> Frame:
    data = np.full((HEIGHT, WIDTH), round(counts), "<u2").tobytes()
    return Frame(
        stream=Stream.INFRARED, width_px=WIDTH, height_px=HEIGHT, data=data, sequence=slot, slot=slot,
        device_time_us=slot * 33_333, exposure_us=EXPOSURE_US, gain=1.0, illumination=light,
        wavelength_nm=0 if light is Illumination.OFF else 940, temperature_c=35.0, config_hash=bytes(8),
        digest=digest_of(data),
    )  # fmt: skip


def judge(dark_counts: list[float], flood_counts: float = 360.0, *, face: FaceSighting | None = FACE) -> Evidence:
    """A capture of sets of one flood and one dark slot each."""
    gate = AmbientLight()
    session = gate.open(GateContext(SENSOR, IlluminationSchedule(bytes(16), b""), gate.thresholds()))
    for index, counts in enumerate(dark_counts):
        slots = (
            Slot(frame(2 * index, Illumination.FLOOD, flood_counts)),
            Slot(frame(2 * index + 1, Illumination.OFF, counts)),
        )
        sightings = () if face is None else (face,)
        session.observe(FrameSet(index, slots), FaceObservation(sightings, len(sightings), Prompt.NONE, None))
    return session.conclude()


def test_a_face_that_only_the_sensor_lights_is_live() -> None:
    evidence = judge([BLACK + 2.0] * 8)
    assert evidence.outcome is Outcome.LIVE
    assert all(measure.passes for measure in evidence.measures)


def test_light_that_comes_and_goes_in_dark_slots_is_a_second_emitter() -> None:
    evidence = judge([BLACK, BLACK + 60.0] * 4)
    assert evidence.outcome is Outcome.NOT_LIVE
    assert evidence.cue == "second emitter"


def test_steady_strong_light_of_the_room_is_inconclusive_and_no_detection() -> None:
    evidence = judge([BLACK + 150.0] * 8)
    assert evidence.outcome is Outcome.INCONCLUSIVE
    assert evidence.cue == "ambient light"


@pytest.mark.parametrize("dark", [[], [BLACK] * 4])
def test_too_few_dark_slots_are_inconclusive(dark: list[float]) -> None:
    assert judge(dark).outcome is Outcome.INCONCLUSIVE


def test_without_a_face_nothing_is_judged_and_nothing_covered() -> None:
    evidence = judge([BLACK] * 8, face=None)
    assert evidence.outcome is Outcome.INCONCLUSIVE
    assert evidence.covered == frozenset()


def test_flood_slots_without_light_are_inconclusive() -> None:
    assert judge([BLACK] * 8, flood_counts=BLACK).outcome is Outcome.INCONCLUSIVE


def test_a_face_at_the_border_is_measured_inside_the_frame() -> None:
    corner = FaceSighting(
        slot=0, faces=1, box_px=(-30.0, -20.0, 40.0, 36.0), landmarks_px=np.zeros((5, 2), np.float32), score=0.9,
        pose=None, distance_mm=400.0, mean_counts=300.0, saturated_share=0.0, sharpness=1.0,
    )  # fmt: skip
    assert judge([BLACK] * 8, face=corner).outcome is Outcome.INCONCLUSIVE


def test_every_frame_that_was_shown_with_a_face_is_covered() -> None:
    shown = {digest_of(np.full((HEIGHT, WIDTH), counts, "<u2").tobytes()) for counts in (360, 60)}
    assert judge([BLACK] * 8).covered == shown
