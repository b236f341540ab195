"""`flatness`: a face has relief; a print, a bent print and a screen have none.

With a face in the frame, its depth is held against a plane and a smooth bend of one, and the nose against the plane of
eyes and mouth. Without one, the nearest object where a face belongs is: screens show nothing at 940 nm, so a phone is a
flat panel without a face. A sensor without infrared is judged by depth alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from faceward.plugin import (
    Evidence,
    FaceObservation,
    FaceSighting,
    Frame,
    FrameSet,
    GateContext,
    GateSession,
    Illumination,
    LivenessGate,
    Measure,
    Outcome,
    Requirements,
    SensorInfo,
    Stream,
    hookimpl,
)

from faceward_gates.panel import find_panel, has_glint
from faceward_gates.relief import Relief, Shape, face_relief, largest_blob, nearest_slab, shape_of
from faceward_gates.sightings import flood_frames, nearest_sighting

_NEAR_US = 250_000  # depth that is older says nothing about this face; a plan allows .2 s between depth frames
_BLOB_AREA_MM2 = 2500.0


class FlatnessGate(LivenessGate):
    """Relief against sheets and panels."""

    name = "flatness"
    version = "1.0.0"

    def requirements(self, sensor: SensorInfo) -> Requirements:
        """Depth at 8 Hz, and flood frames that tell where the face is."""
        return Requirements(depth=True, dots_hz=8.0, flood_hz=8.0, seconds=1.5)

    def thresholds(self) -> Mapping[str, float]:
        """Chosen on development seeds of the simulator; see README for both sides' distributions."""
        return {
            "bend_residual_mm": 1.6,
            "protrusion_mm": 6.0,
            "panel_residual_mm": 1.3,
            "panel_looks": 3.0,
            "panel_seconds": 1.5,
            "sets": 8.0,
            "reach_mm": 900.0,
        }

    def open(self, context: GateContext) -> GateSession:
        """Begin."""
        return _Session(context)


class _Session(GateSession):
    def __init__(self, context: GateContext) -> None:
        self._sensor = context.sensor
        self._limits = context.thresholds
        self._has_infrared = Stream.INFRARED in context.sensor.streams
        self._bends: list[float] = []
        self._planes: list[float] = []
        self._protrusions: list[float] = []
        self._panels: list[tuple[float, int]] = []  # residual from a plane, device time
        self._sets = 0
        self._glints: list[int] = []  # device times
        self._relief: Relief | None = None
        self._relief_us = -_NEAR_US
        self._covered: set[bytes] = set()

    def observe(self, frame_set: FrameSet, face: FaceObservation) -> None:
        """Take the relief of the face, or of what stands in its place."""
        depth = frame_set.depth
        if depth is not None:
            self._sets += 1
            dots = frame_set.slots[0].infrared
            if dots is None:
                self._see_blob(depth, frame_set)
                return
            sighting = nearest_sighting(dots.slot, face)
            if sighting is None:
                self._see_panel(depth, frame_set)
            else:
                self._see_face(depth, sighting, dots)
        if self._relief is None:
            return
        for frame, _ in flood_frames(frame_set, face):
            if abs(frame.device_time_us - self._relief_us) <= _NEAR_US:
                self._covered.add(frame.digest)

    def _see_face(self, depth: Frame, sighting: FaceSighting, dots: Frame) -> None:
        self._relief = None
        relief = face_relief(depth, self._sensor.calibration, sighting.box_px, (dots.width_px, dots.height_px))
        shape = None if relief is None else shape_of(relief.within(_oval(relief)).points_mm)
        if relief is None or shape is None:
            return
        self._keep(shape)
        self._relief, self._relief_us = relief, depth.device_time_us
        self._covered.update((depth.digest, dots.digest))
        protrusion_mm = nose_protrusion_mm(relief, sighting, (dots.width_px, dots.height_px))
        if protrusion_mm is not None:
            self._protrusions.append(protrusion_mm)

    def _see_blob(self, depth: Frame, frame_set: FrameSet) -> None:
        slab = nearest_slab(depth, self._sensor.calibration, self._limits["reach_mm"])
        relief = None if slab is None else largest_blob(slab)
        shape = None if relief is None else shape_of(relief.points_mm)
        if relief is None or shape is None or relief.area_mm2 < _BLOB_AREA_MM2:
            return
        self._keep(shape)
        self._covered.update(frame_set.digests)

    def _keep(self, shape: Shape) -> None:
        self._bends.append(shape.bend_mm)
        self._planes.append(shape.plane_mm)

    def _see_panel(self, depth: Frame, frame_set: FrameSet) -> None:
        floods = frame_set.infrared(Illumination.FLOOD)
        if floods and has_glint(floods[0], self._sensor.calibration):
            self._glints.append(depth.device_time_us)
        slab = nearest_slab(depth, self._sensor.calibration, self._limits["reach_mm"])
        if slab is None:
            return
        panel = find_panel(slab, floods[0] if floods else None, self._sensor.calibration)
        if panel is not None:
            self._panels.append((panel.residual_mm, depth.device_time_us))

    def conclude(self) -> Evidence:
        """Weigh what was seen: the median over the capture, so that single frames neither save nor condemn."""
        if Stream.DEPTH not in self._sensor.streams:
            return Evidence(Outcome.NOT_EVALUATED, "depth", "this sensor, or this recording, has no depth stream")
        if len(self._bends) >= self._limits["sets"]:
            return self._judge_face()
        return self._judge_panel()

    def _judge_face(self) -> Evidence:
        bend_mm, plane_mm = float(np.median(self._bends)), float(np.median(self._planes))
        bend = Measure("bend residual", bend_mm, "mm", self._limits["bend_residual_mm"], ">=")
        measures = [bend, Measure("plane residual", plane_mm, "mm"), Measure("depth frames", len(self._bends), "")]
        covered = frozenset(self._covered)
        if not bend.passes:
            return Evidence(
                Outcome.NOT_LIVE,
                "flat relief",
                f"the face lies within {bend_mm:.2f} mm of a sheet, flat or bent",
                tuple(measures),
                bend_mm / self._limits["bend_residual_mm"],
                covered,
            )
        score = bend_mm / self._limits["bend_residual_mm"]
        if self._has_infrared:
            if len(self._protrusions) < self._limits["sets"] / 2:
                reason = f"the nose could be measured in {len(self._protrusions)} depth frames only"
                return Evidence(Outcome.INCONCLUSIVE, "too few frames", reason, tuple(measures), math.nan, covered)
            out_mm = float(np.median(self._protrusions))
            nose = Measure("nose protrusion", out_mm, "mm", self._limits["protrusion_mm"], ">=")
            measures.insert(1, nose)
            score = min(score, out_mm / self._limits["protrusion_mm"])
            if not nose.passes:
                return Evidence(
                    Outcome.NOT_LIVE,
                    "no nose",
                    f"where the image has a nose, depth stands out by {out_mm:.1f} mm",
                    tuple(measures),
                    score,
                    covered,
                )
        return Evidence(Outcome.LIVE, "relief", "the relief is a face's", tuple(measures), score, covered)

    def _judge_panel(self) -> Evidence:
        """Depth tells that it is flat; black glass has depth only under long exposure, so glints too tell how long."""
        if not self._panels and not self._glints:
            reason = f"no face in {self._sets} depth frames, and nothing flat in its place"
            return Evidence(Outcome.INCONCLUSIVE, "nobody there", reason)
        times_us = [time_us for _, time_us in self._panels] + self._glints
        seconds = (max(times_us) - min(times_us)) / 1e6
        looks = Measure("looks at a panel", len(self._panels), "", self._limits["panel_looks"])
        shown = Measure("panel shown", seconds, "s", self._limits["panel_seconds"])
        if not self._panels:
            return Evidence(Outcome.INCONCLUSIVE, "no face", "something glossy is there, but no face", (looks, shown))
        residual_mm = float(np.median([residual for residual, _ in self._panels]))
        flat = Measure("panel residual", residual_mm, "mm", self._limits["panel_residual_mm"], ">=")
        if not (flat.passes or looks.passes or shown.passes):
            return Evidence(
                Outcome.NOT_LIVE,
                "flat panel",
                f"a flat object without a face stood where a face belongs for {seconds:.1f} s",
                (flat, looks, shown),
                residual_mm / self._limits["panel_residual_mm"],
            )
        return Evidence(Outcome.INCONCLUSIVE, "no face", "something is there, but no face", (flat, looks, shown))


def nose_protrusion_mm(relief: Relief, sighting: FaceSighting, frame_px: tuple[int, int]) -> float | None:
    """How far the nose tip stands before the plane of eyes and corners of the mouth; None where depth misses one."""
    depth = relief.camera
    scale = np.array([depth.width_px / frame_px[0], depth.height_px / frame_px[1]])
    spots = [relief.at(*(landmark * scale)) for landmark in sighting.landmarks_px]
    if any(spot is None for spot in spots):
        return None
    right_eye, left_eye, nose, right_mouth, left_mouth = (np.asarray(spot, np.float64) for spot in spots)
    around = np.stack([right_eye, left_eye, right_mouth, left_mouth])
    middle = around.mean(axis=0)
    across = (left_eye + left_mouth) - (right_eye + right_mouth)
    down = (right_mouth + left_mouth) - (right_eye + left_eye)
    normal = np.cross(across, down)
    length = float(np.linalg.norm(normal))
    if length < 1e-6:
        return None
    normal /= length if normal[2] < 0 else -length  # towards the sensor
    return float((nose - middle) @ normal)


def _oval(relief: Relief) -> np.ndarray:
    """The ellipse in the face's box: its corners hold hair, ears and background."""
    rows, columns = relief.valid.shape
    y = (np.arange(rows)[:, None] + 0.5) / rows * 2.0 - 1.0
    x = (np.arange(columns)[None, :] + 0.5) / columns * 2.0 - 1.0
    return x * x + y * y <= 0.81


@hookimpl
def faceward_gate() -> LivenessGate:
    """The plugin's one gate."""
    return FlatnessGate()
