"""How fast the simulator makes slots, on one core.

    python benchmarks/simulator_slots.py [--actor live] [--sensor sl-940] [--light indoor] [--slots 60]

Prints, for each kind of slot, milliseconds (median and best; world, optics and depth together), the slots per second of
the default schedule over the 30 that the sensor promises, and the rasteriser's time against a plain-numpy yardstick
that does less: it projects the same vertices and sorts the same triangles by depth, and fills no pixel.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
from faceward_sim.firmware.imager import Exposure, Illumination, Prompt
from faceward_sim.optics.geometry import Geometry, Pinhole
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.optics.sensors import SENSORS
from faceward_sim.world.actors import ACTORS
from faceward_sim.world.environment import LIGHTS, Environment

PROMISED_SLOTS_PER_S = 30.0
# Of 30 slots.
WITH_DOTS = {Illumination.DOTS: 10, Illumination.FLOOD: 17, Illumination.OFF: 3}
WITHOUT_DOTS = {Illumination.FLOOD: 27, Illumination.OFF: 3}
TWO_BANDS = {Illumination.DOTS: 10, Illumination.FLOOD: 13, Illumination.FLOOD_SECOND: 4, Illumination.OFF: 3}
EXPOSURE_US = 1500


def milliseconds(run: Callable[[], object], times: int) -> list[float]:
    """Processor time of `times` runs, after one that compiles: other work on the machine does not count."""
    run()
    taken = []
    for _ in range(times):
        start = time.thread_time()
        run()
        taken.append(1e3 * (time.thread_time() - start))
    return taken


def numpy_yardstick(vertices_mm: np.ndarray, triangles: np.ndarray, camera: Pinhole) -> np.ndarray:
    """Painter's order by numpy alone: project every vertex, sort triangles by mean depth."""
    z = vertices_mm[:, 2]
    image = vertices_mm[:, :2] / z[:, None] * camera.f_px + (camera.cx_px, camera.cy_px)
    order = np.argsort(-z[triangles].mean(axis=1))
    return image[triangles[order]]


class EmbreeYardstick:
    """A public ray caster (Intel's Embree, through embreex): one ray a pixel through the same camera, first hits alone."""

    def __init__(self, camera: Pinhole) -> None:
        rows, columns = np.mgrid[: camera.height_px, : camera.width_px].astype(np.float32)
        towards = np.stack(
            [(columns - camera.cx_px) / camera.f_px, (rows - camera.cy_px) / camera.f_px, np.ones_like(rows)], axis=-1
        ).reshape(-1, 3)
        self._towards = towards / np.linalg.norm(towards, axis=1, keepdims=True)
        self._from = np.zeros_like(self._towards)

    def cast(self, vertices_mm: np.ndarray, triangles: np.ndarray) -> np.ndarray:
        """The triangle under each pixel, -1 for none; a person moves, so the tree is built anew."""
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        scene = EmbreeScene()
        TriangleMesh(scene, vertices_mm, triangles)
        return scene.run(self._from, self._towards, query="INTERSECT")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--actor", default="live", choices=sorted(ACTORS))
    parser.add_argument("--sensor", default="sl-940", choices=sorted(SENSORS))
    parser.add_argument("--light", default="indoor", choices=sorted(LIGHTS))
    parser.add_argument("--slots", type=int, default=60)
    chosen = parser.parse_args()
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    actor = Environment(chosen.light).around(ACTORS[chosen.actor].build(7), 7)
    imager = SENSORS[chosen.sensor].build(actor, 7)
    slot = 0

    def expose(illumination: Illumination) -> None:
        nonlocal slot
        imager.expose(Exposure(slot, slot * 33_333, illumination, EXPOSURE_US, 1.0, Prompt.NONE))
        slot += 1

    print(f"{chosen.sensor}, {chosen.actor}, {chosen.light}, one core, {chosen.slots} slots of each kind")
    mean_ms = best_ms = 0.0
    lights = {light for light, _ in imager.identity.emitters}
    schedule = TWO_BANDS if Illumination.FLOOD_SECOND in lights else WITH_DOTS
    schedule = schedule if Illumination.DOTS in lights else WITHOUT_DOTS
    for illumination, share in schedule.items():
        taken = milliseconds(lambda kind=illumination: expose(kind), chosen.slots)
        print(f"  {illumination.name.lower():12} {statistics.median(taken):6.1f} ms median {min(taken):6.1f} ms best")
        mean_ms += statistics.fmean(taken) * share / sum(schedule.values())
        best_ms += min(taken) * share / sum(schedule.values())
    rate = 1e3 / mean_ms
    print(
        f"  {rate:.1f} slots/s = {rate / PROMISED_SLOTS_PER_S:.2f} of the {PROMISED_SLOTS_PER_S:.0f} promised", end=""
    )
    print(f" (at best times {1e3 / best_ms:.1f} slots/s)")

    geometry, view = Geometry(), Rasteriser(Pinhole(640, 480, 554.0, 319.5, 239.5))
    geometry.load(actor.at(slot * 33_333, Prompt.NONE))
    ours = statistics.median(milliseconds(lambda: view.draw(geometry), chosen.slots))
    plain = statistics.median(
        milliseconds(lambda: numpy_yardstick(geometry.vertices_mm, geometry.triangles, view.camera), chosen.slots)
    )
    print(f"rasteriser: {ours:.2f} ms for {len(geometry.triangles):,} triangles at 640 x 480")
    print(f"  {ours / plain:.2f} of numpy's projecting and depth-sorting without a pixel filled ({plain:.2f} ms)")
    if importlib.util.find_spec("embreex") is None:
        print("  beside Embree: not measured, embreex is not installed")
        return
    vertices_mm = np.ascontiguousarray(geometry.vertices_mm, np.float32)
    triangles = np.ascontiguousarray(geometry.triangles, np.int32)
    embree = EmbreeYardstick(view.camera)
    rays = statistics.median(milliseconds(lambda: embree.cast(vertices_mm, triangles), chosen.slots))
    seen = int(np.count_nonzero(embree.cast(vertices_mm, triangles) >= 0))
    print(f"  {ours / rays:.2f} of Embree's tree and first hits of 307,200 rays ({rays:.2f} ms, {seen:,} hits)")


if __name__ == "__main__":
    main()
