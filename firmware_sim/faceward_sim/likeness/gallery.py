"""Portraits of many people, compared: the figures, and a sheet to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.likeness.recogniser import Recogniser
from faceward_sim.likeness.separation import Separation, separate
from faceward_sim.likeness.sitting import Portrait, take_portrait
from faceward_sim.picture import Picture
from faceward_sim.world.body import Body
from faceward_sim.world.people import draw_person

TILE_PX = 168
COLUMNS = 8
ON_SHEET = 40


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """What was measured, and the faces that it was measured on. `missed` portraits had no face that was found."""

    separation: Separation
    missed: int
    faces: tuple[Picture, ...]  # the first portrait of the first people, cut out


def hang(
    seeds: Sequence[int], captures: int, models: Path | None = None, progress: Callable[[int], None] = lambda _: None
) -> Gallery:
    """Take `captures` portraits of the person of each seed and compare all of them.

    :raises ValueError: fewer than two people or two captures, too few faces found, or (the SDK's ConfigError) no models.
    """
    if len(seeds) < 2 or captures < 2:
        raise ValueError("a gallery takes two people with two captures each at least")
    recogniser = Recogniser(models)
    rows, whose, faces = [], [], []
    missed = 0
    for number, seed in enumerate(seeds):
        body = Body(draw_person(seed))
        for capture in range(captures):
            portrait = take_portrait(body, capture)
            face = recogniser.find(portrait)
            row = None if face is None else recogniser.embed(portrait, face)
            if face is None or row is None:
                missed += 1
                continue
            rows.append(row)
            whose.append(seed)
            if len(faces) <= number and len(faces) < ON_SHEET:
                faces.append(_cut_out(portrait, face.landmarks_px))
        progress(number + 1)
    if not rows:
        raise ValueError("no portrait has a face that the detector finds")
    return Gallery(separate(np.stack(rows), np.array(whose)), missed, tuple(faces))


def _cut_out(portrait: Portrait, landmarks_px: NDArray[np.float32]) -> Picture:
    """A square about the face, the eyes 52 px apart, in a camera's tones."""
    eyes, mouth = landmarks_px[:2].mean(axis=0), landmarks_px[3:].mean(axis=0)
    reach = 1.35 * float(np.linalg.norm(mouth - eyes)) + 1e-6
    middle = (eyes + 0.35 * (mouth - eyes)).astype(float)
    scale = TILE_PX / (2 * reach)
    black, full = portrait.calibration.black_level_counts, portrait.calibration.saturation_counts
    shown = np.sqrt(np.clip((portrait.counts.astype(np.float32) - black) / (full - black), 0, 1)) * 255
    move = np.array([[scale, 0, TILE_PX / 2 - scale * middle[0]], [0, scale, TILE_PX / 2 - scale * middle[1]]])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.warpAffine(shown, move, (TILE_PX, TILE_PX), flags=interpolation).clip(0, 255).astype(np.uint8)


def contact_sheet(faces: Sequence[Picture], title: str) -> Picture:
    """The faces in rows of eight under a title."""
    rows = -(-len(faces) // COLUMNS)
    head = 24
    sheet = np.zeros((head + rows * TILE_PX, COLUMNS * TILE_PX), np.uint8)
    for number, face in enumerate(faces):
        top, left = head + number // COLUMNS * TILE_PX, number % COLUMNS * TILE_PX
        sheet[top : top + TILE_PX, left : left + TILE_PX] = face
    cv2.putText(sheet, f"{title} (simulated)", (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 230, 1, cv2.LINE_AA)
    return sheet
