"""A mask's material is swapped; mesh, texture, script and all that is not the mask must stay as they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import Exposure, Illumination, Prompt
from faceward_sim.leaks.finding import Finding
from faceward_sim.optics.geometry import Geometry
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.optics.structured_light import StructuredLightImager, build_sl_940
from faceward_sim.world.instruments.batches import Batch
from faceward_sim.world.instruments.masks import MASKS, MaskDesign
from faceward_sim.world.people import draw_person
from faceward_sim.world.surface import SceneState, Surface
from faceward_sim.world.wearers import MaskWearer

SLOT_US = 33_333
MOMENTS = tuple((slot, Prompt.NONE if slot < 20 else Prompt.TURN_LEFT) for slot in range(0, 80, 8))
DISTANCE_MM = 400.0
_BLUR_REACH_PX = 12  # past which the lens carries no light of the mask
_ROUNDING = 2e-6  # of single precision, over textures below 1


def check_swaps(seed: int) -> Iterator[Finding]:
    """One mask of `seed` in its own material and in those of the other designs of masks."""
    own = MASKS[0]
    wearer = draw_person(seed).complexion
    mine = own.batch(seed, wearer)
    others = [replace(design.batch(seed, wearer), thickness_mm=mine.thickness_mm) for design in MASKS[1:]]
    names = [design.name for design in MASKS[1:]]
    distinct = {batch.material.name: (name, batch) for name, batch in zip(names, others, strict=True)}
    distinct.pop(mine.material.name, None)
    for name, other in distinct.values():
        yield from check_swap(own, seed, mine, other, f"{own.name} made as {name}")


def check_swap(design: MaskDesign, seed: int, one: Batch, other: Batch, subject: str) -> Iterator[Finding]:
    """Two masks of a seed, alike but for their material. Both batches must be as thick."""
    worn = [MaskWearer(design, seed, DISTANCE_MM, None, batch=batch) for batch in (one, other)]
    moved = painted = beside = 0.0
    for slot, prompt in MOMENTS:
        scenes = [actor.at(slot * SLOT_US, prompt) for actor in worn]
        moved = max(moved, _moved_mm(*scenes))
        beside = max(beside, _changed_beside(*scenes))
    painted = _repainted(worn[0].mask.reflectance, worn[1].mask.reflectance, design, seed, one, other)
    yield Finding("swap", subject, f"vertices move by {moved:g} mm", "0 mm", moved == 0.0)
    yield Finding("swap", subject, f"other surfaces change by {beside:g}", "0", beside == 0.0)
    yield Finding("swap", subject, f"the painted features change by {painted:.1e}", "rounding", painted <= _ROUNDING)
    outside, inside = _frames(worn, seed)
    yield Finding("swap", subject, f"frames change by {outside} counts where no mask is", "0", outside == 0)
    yield Finding("swap", subject, f"frames change by {inside:.0f} counts on the mask (median)", "some", inside > 0)


def _moved_mm(one: SceneState, other: SceneState) -> float:
    return max(
        float(np.abs(a.vertices_mm - b.vertices_mm).max())
        if a.vertices_mm.shape == b.vertices_mm.shape and np.array_equal(a.triangles, b.triangles)
        else np.inf
        for a, b in zip(one.surfaces, other.surfaces, strict=True)
    )


def _changed_beside(one: SceneState, other: SceneState) -> float:
    """By how much anything but the first surface, which is the mask, looks different."""
    pairs = list(zip(one.surfaces, other.surfaces, strict=True))[1:]
    return abs(one.ambient - other.ambient) + max(_unlike(a, b) for a, b in pairs)


def _unlike(one: Surface, other: Surface) -> float:
    if one.material != other.material or one.reflectance.shape != other.reflectance.shape:
        return np.inf
    pulses = [1.0 if surface.flush is None else surface.flush for surface in (one, other)]
    return float(np.abs(one.reflectance - other.reflectance).max() + np.abs(np.subtract(*pulses)).max())


def _repainted(
    one: NDArray[np.float32], other: NDArray[np.float32], design: MaskDesign, seed: int, mine: Batch, theirs: Batch
) -> float:
    """How far a third mask, whose material returns the mean of both, is from the mean of both textures.

    What is painted covers a share of the material, so a texture is linear in the material's reflectance. Texels at the
    ends of what paints can return are left out.
    """
    middle = replace(mine, reflectance=(mine.reflectance + theirs.reflectance) / 2)
    third = MaskWearer(design, seed, DISTANCE_MM, None, batch=middle).mask.reflectance
    kept = np.ones(one.shape, bool)
    for texture in (one, other, third):
        kept &= (texture > 0.03) & (texture < 0.8)
    return float(np.abs(third - (one + other) / 2)[kept].max())


def _frames(worn: list[MaskWearer], seed: int) -> tuple[int, float]:
    """The largest change beside the mask, and the median one on it, over flood and dark frames."""
    imagers = [build_sl_940(actor, seed) for actor in worn]
    outside, inside = 0, []
    for slot, prompt in MOMENTS[::3]:
        for light in (Illumination.FLOOD, Illumination.OFF):
            exposure = Exposure(slot, slot * SLOT_US, light, 2_000, 1.0, prompt)
            first, second = (imager.expose(exposure).infrared.astype(np.int64) for imager in imagers)
            covered = _silhouette(imagers[0], worn[0].at(slot * SLOT_US, prompt))
            change = np.abs(first - second)
            outside = max(outside, int(change[~covered].max()))
            if light is Illumination.FLOOD:
                inside.append(float(np.median(change[covered])))
    return outside, float(np.median(inside))


def _silhouette(imager: StructuredLightImager, scene: SceneState) -> NDArray[np.bool_]:
    """Where the unit sees the scene's first surface, and as far around as the lens spreads its light."""
    geometry = Geometry()
    geometry.load(scene)
    view = Rasteriser(imager.unit.camera)
    view.draw(geometry)
    shown = (view.inverse_depth > 0) & (geometry.triangle_surface[view.triangle] == 0)
    kernel = np.ones((2 * _BLUR_REACH_PX + 1,) * 2, np.uint8)
    return cv2.dilate(shown.astype(np.uint8), kernel).astype(bool)
