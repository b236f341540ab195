"""Everybody who can stand before a sensor on one picture, as the sensor sees them: flood, dots and depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import Exposure, Illumination, Imager, Prompt
from faceward_sim.optics.sensors import SENSORS
from faceward_sim.picture import Picture
from faceward_sim.world.actors import ActorSpec

FLOOD_PX, SMALL_PX = (280, 210), (140, 105)
HEAD_PX = 20
ACROSS = 5
SLOT_US = 33_333
BRIGHT = 0.4  # of the range, for the brightest of the middle
SHORTEST_US, LONGEST_US = 100, 30_000


def draw_gallery(
    specs: Iterable[ActorSpec],
    seed: int,
    *,
    distance_mm: float = 400.0,
    tone: float | None = None,
    told: Callable[[str], None] = lambda name: None,
) -> Picture:
    """One tile an actor, all of one seed, before units of `sl-940`.

    Args:
        told: called with each actor's name before it is drawn.
    """
    tiles = []
    for spec in specs:
        told(spec.name)
        actor = spec.build(seed, distance_mm=distance_mm, tone=tone)
        tiles.append(draw_tile(SENSORS["sl-940"].build(actor, seed), spec.name))
    while len(tiles) % ACROSS:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.concatenate(tiles[k : k + ACROSS], axis=1) for k in range(0, len(tiles), ACROSS)]
    return np.concatenate([_label(f"seed {seed} at {distance_mm:.0f} mm, sl-940 (simulated)", rows[0].shape[1]), *rows])


def draw_tile(imager: Imager, name: str) -> Picture:
    """Flood at an exposure that suits it, dots and depth beside."""
    calibration = imager.calibration
    exposure_us = 2_000
    for slot in range(2):
        infrared = imager.expose(_exposure(slot, Illumination.FLOOD, exposure_us)).infrared
        rows, columns = infrared.shape
        middle = infrared[rows // 4 : 3 * rows // 4, columns // 4 : 3 * columns // 4]
        full = calibration.saturation_counts - calibration.black_level_counts
        seen = max(float(np.percentile(middle, 95)) - calibration.black_level_counts, 0.005 * full)
        exposure_us = int(np.clip(exposure_us * BRIGHT * full / seen, SHORTEST_US, LONGEST_US))
    flood = imager.expose(_exposure(2, Illumination.FLOOD, exposure_us)).infrared
    dots = imager.expose(_exposure(3, Illumination.DOTS, exposure_us))
    beside = [_grey(dots.infrared, SMALL_PX)]
    if dots.depth is not None:
        beside.append(_coloured(dots.depth * calibration.depth_unit_um / 1000.0))
    body = np.concatenate([_grey(flood, FLOOD_PX), np.concatenate(beside)], axis=1)
    return np.concatenate([_label(name, body.shape[1]), body])


def _exposure(slot: int, light: Illumination, exposure_us: int) -> Exposure:
    return Exposure(slot, slot * SLOT_US, light, exposure_us, 1.0, Prompt.NONE)


def _grey(infrared: NDArray[np.uint16], size_px: tuple[int, int]) -> Picture:
    shown = (infrared.astype(np.float32) / 65535.0) ** (1 / 2.2) * 255
    return cv2.cvtColor(cv2.resize(shown, size_px, interpolation=cv2.INTER_AREA).astype(np.uint8), cv2.COLOR_GRAY2BGR)


def _coloured(depth_mm: NDArray[np.float64]) -> Picture:
    known = depth_mm > 0
    near, far = np.percentile(depth_mm[known], [1, 90]) if known.any() else (0.0, 1.0)
    share = np.clip((far - depth_mm) / max(far - near, 1.0), 0, 1)
    picture = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    picture[~known] = 0
    return cv2.resize(picture, SMALL_PX, interpolation=cv2.INTER_NEAREST)


def _label(text: str, width_px: int) -> Picture:
    strip = np.zeros((HEAD_PX, width_px, 3), np.uint8)
    cv2.putText(strip, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230, 230, 230), 1, cv2.LINE_AA)
    return strip
