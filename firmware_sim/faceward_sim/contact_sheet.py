"""A scene in pictures, through the real optics: flood, dots and depth of some slots on one sheet."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import Exposure, FactoryCalibration, Illumination, Imager, Prompt
from faceward_sim.picture import Picture

TILE_PX = (320, 240)
HEAD_PX = 22
SLOT_US = 33_333
START_US = 2_000
BRIGHT = 0.45  # of the range, for the brightest percents of the middle, as a sensor's own exposure control has it
SHORTEST_US, LONGEST_US = 100, 30_000
LEAD_SLOTS = 36  # a prompt is shown so long before its pictures: people need .3 to 1.5 s to have answered it


def draw_contact_sheet(imager: Imager, title: str, slots: Sequence[int], prompts: Sequence[Prompt]) -> Picture:
    """One column a slot: flood, dots and depth, taken one after the other from that slot on.

    Each prompt is shown from LEAD_SLOTS before its slot on, or from the end of the column before. Slots must rise by five
    or more. Depth is coloured from near (warm) to far.
    """
    calibration = imager.calibration
    exposure_us = START_US
    columns = []
    ended = -1
    for slot, prompt in zip(slots, prompts, strict=True):
        if slot > ended + 1:
            imager.expose(_exposure(max(slot - LEAD_SLOTS, ended + 1), Illumination.OFF, exposure_us, prompt))
        ended = slot + 2
        flood = imager.expose(_exposure(slot, Illumination.FLOOD, exposure_us, prompt))
        exposure_us = _exposed(flood.infrared, exposure_us, calibration)
        flood = imager.expose(_exposure(slot + 1, Illumination.FLOOD, exposure_us, prompt))
        dots = imager.expose(_exposure(slot + 2, Illumination.DOTS, exposure_us, prompt))
        tiles = [_grey(flood.infrared), _grey(dots.infrared)]
        if dots.depth is not None:
            tiles.append(_coloured(dots.depth * calibration.depth_unit_um / 1000.0))
        head = _label(f"slot {slot}  {prompt.name.lower().replace('_', ' ')}  {exposure_us} us", TILE_PX[0])
        columns.append(np.concatenate([head, *tiles]))
    body = np.concatenate(columns, axis=1)
    return np.concatenate([_label(f"{title} (simulated)", body.shape[1]), body])


def _exposure(slot: int, light: Illumination, exposure_us: int, prompt: Prompt) -> Exposure:
    return Exposure(slot, slot * SLOT_US, light, exposure_us, 1.0, prompt)


def _exposed(infrared: NDArray[np.uint16], exposure_us: int, calibration: FactoryCalibration) -> int:
    """The exposure that brings the middle of the picture to BRIGHT."""
    rows, columns = infrared.shape
    middle = infrared[rows // 4 : 3 * rows // 4, columns // 4 : 3 * columns // 4]
    range_counts = calibration.saturation_counts - calibration.black_level_counts
    seen = max(float(np.percentile(middle, 98)) - calibration.black_level_counts, 0.005 * range_counts)
    return int(np.clip(exposure_us * BRIGHT * range_counts / seen, SHORTEST_US, LONGEST_US))


def _grey(infrared: NDArray[np.uint16]) -> Picture:
    shown = (infrared.astype(np.float32) / 65535.0) ** (1 / 2.2) * 255
    small = cv2.resize(shown, TILE_PX, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small.astype(np.uint8), cv2.COLOR_GRAY2BGR)


def _coloured(depth_mm: NDArray[np.float64]) -> Picture:
    known = depth_mm > 0
    near, far = np.percentile(depth_mm[known], [1, 99]) if known.any() else (0.0, 1.0)
    share = np.clip((far - depth_mm) / max(far - near, 1.0), 0, 1)
    picture = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    picture[~known] = 0
    small = cv2.resize(picture, TILE_PX, interpolation=cv2.INTER_NEAREST)
    if known.any():
        cv2.putText(small, f"{near:.0f}-{far:.0f} mm", (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1)
    return small


def _label(text: str, width_px: int) -> Picture:
    strip = np.zeros((HEAD_PX, width_px, 3), np.uint8)
    cv2.putText(strip, text, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230, 230, 230), 1, cv2.LINE_AA)
    return strip
