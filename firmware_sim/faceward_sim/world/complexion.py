"""Near-infrared reflectance of a face: skin by tone, brows, lips, lids, beard, moles, wrinkles.

What plain skin does with light comes from transport in each person's own composition (optics/materials.py); how
features such as brows or lips contrast with skin at 940 nm is assumed and drawn from ranges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from faceward_sim.optics.materials import SKIN_MIRRORS, draw_skin, skin_colour, skin_response, to_material
from faceward_sim.optics.transport.tissue import Skin
from faceward_sim.world.generators import A, Generator
from faceward_sim.world.skin_map import SkinMap
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material
from faceward_sim.world.textures import Texture, mottle

if TYPE_CHECKING:
    from faceward_sim.world.makeup import MakeUp

Floats = NDArray[np.float32]

_GONE = 6.0  # widths from a bump's centre at which 1 less a part of it is 1 in single precision


@dataclass(frozen=True, slots=True)
class Complexion:
    """What one person's skin does with light, before features are painted on it."""

    tone: float  # 1 to 4
    skin: Skin
    reflectance: float
    material: Material
    generator: Generator = A


@dataclass(frozen=True, slots=True)
class Traits:
    """What a face wears: the painted and grown features that make somebody recognisable. Lengths in millimetres."""

    age: float  # 0: young adult, 1: very old
    hair_reflectance: float
    brow_inner: float
    brow_outer: float
    brow_height: float
    brow_arch: float
    brow_tail: float
    brow_slope: float
    brow_width: float
    brow_density: float
    brow_reflectance: float
    monobrow: float
    lash: float
    lid_shadow: float
    under_eye: float
    lip_upper: float
    lip_lower: float
    lip_outline: float
    nasolabial: float
    forehead_lines: float
    crows_feet: float
    moustache: float
    chin_beard: float
    jaw_beard: float
    beard_line: float
    freckles: float
    mole_count: int
    blotch: float
    pores: float
    cheek_gradient: float
    shine_zone: float
    socket: float
    nose_shade: float
    hollow: float  # how much darker folds and hollows are, where little of the sky over the skin is open


def draw_complexion(seed: int, tone: float | None, generator: Generator = A) -> Complexion:
    """Draw a skin; `tone` fixes the group (1 to 4) but not the person's own melanin, blood, water and scattering.

    :raises ValueError: the tone is outside 1 to 4.
    """
    rng = stream(seed, "complexion")
    drawn = rng.uniform(1.0, 4.0)
    tone = float(drawn if tone is None else tone)
    skin = draw_skin(rng, tone, generator.tissue)
    response = skin_response(skin)
    # Sebum and moisture change the surface's index a little (assumed).
    mirrors = SKIN_MIRRORS * float(np.exp((1 + generator.reach) * np.clip(rng.normal(0.0, 0.08), -0.16, 0.16)))
    roughness = float(rng.uniform(*generator.beyond((0.2, 0.35))))
    material = to_material("skin", response, mirrors, roughness, skin_response(skin, 850))
    red, green, blue = (part / response.reflectance for part in skin_colour(skin))
    material = replace(material, colour=(red, green, blue))
    return Complexion(tone, skin, response.reflectance, material, generator)


def draw_traits(seed: int, *, male: float, age: float) -> Traits:
    """Draw the features; `male` and `age` in [0, 1] shift beards and wrinkles."""
    rng = stream(seed, "traits")
    grey = np.clip((age - 0.4) * 2.4 + rng.normal(0, 0.2), 0, 1)
    # Melanin absorbs little past 900 nm, yet a tuft traps light: dark hair returns .05-.2, fair and grey more (L).
    ranges = ((0.05, 0.11), (0.10, 0.20), (0.20, 0.38))
    pigmented = rng.uniform(*ranges[int(rng.choice(3, p=[0.55, 0.28, 0.17]))])
    hair = pigmented * (1 - grey) + rng.uniform(0.38, 0.52) * grey
    bearded = male > 0.5 and rng.random() < 0.6
    style = rng.integers(0, 5)
    grown = float(rng.uniform(0.5, 1.05)) if bearded else 0.0
    shadow = float(rng.uniform(0.0, 0.25)) if male > 0.5 else 0.0
    return Traits(
        age=age,
        hair_reflectance=float(hair),
        brow_inner=float(rng.uniform(7.0, 17.0)),
        brow_outer=float(rng.uniform(44.0, 56.0)),
        brow_height=float(rng.uniform(12.0, 26.0)),
        brow_arch=float(rng.uniform(0.0, 7.5)),
        brow_tail=float(rng.uniform(-4.0, 10.0)),
        brow_slope=float(rng.uniform(-0.2, 0.22)),
        brow_width=float(rng.uniform(2.0, 5.6) + 2.6 * male * rng.random()),
        brow_density=float(np.clip(rng.beta(1.6, 0.8) * 1.25, 0.08, 1.15)),
        brow_reflectance=float(np.clip(hair * rng.uniform(0.4, 0.95), 0.04, 0.45)),
        monobrow=float(rng.uniform(0.2, 0.8)) if rng.random() < 0.12 else 0.0,
        lash=float(rng.uniform(0.2, 1.0)),
        lid_shadow=float(rng.uniform(-0.1, 0.5)),
        under_eye=float(rng.uniform(-0.05, 0.40) + 0.1 * age),
        lip_upper=float(rng.uniform(0.38, 1.08)),
        lip_lower=float(rng.uniform(0.42, 1.12)),
        lip_outline=float(rng.uniform(0.0, 0.25)),
        nasolabial=float(rng.uniform(0.0, 0.24) + 0.30 * age),
        forehead_lines=float(rng.uniform(0.0, 0.10) + 0.30 * age),
        crows_feet=float(rng.uniform(0.0, 0.10) + 0.30 * age),
        moustache=max(shadow, grown * float(style in (0, 1, 2, 4))),
        chin_beard=max(shadow, grown * float(style in (0, 1, 3))),
        jaw_beard=max(shadow, grown * float(style == 0)),
        beard_line=float(rng.uniform(62.0, 82.0)),
        freckles=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.25 else 0.0,
        mole_count=int(rng.poisson(3.0)),
        blotch=float(rng.uniform(0.015, 0.07)),
        pores=float(rng.uniform(0.01, 0.04)),
        cheek_gradient=float(rng.uniform(-0.30, 0.20)),
        shine_zone=float(rng.uniform(-0.15, 0.15)),
        socket=float(rng.uniform(-0.15, 0.40)),
        nose_shade=float(rng.uniform(-0.20, 0.15)),
        hollow=float(rng.uniform(0.35, 0.75)),
    )


def smooth(x: Floats, low: float, high: float) -> Floats:
    """A cubic step from 0 at `low` to 1 at `high` (falling if low > high), in the precision of `x`."""
    t = x - x.dtype.type(low)
    t *= x.dtype.type(1 / (high - low))
    np.clip(t, 0, 1, out=t)
    step = -2 * t
    step += 3
    step *= t
    step *= t
    return step


def bump(x: Floats, centre: float | Floats, width: float) -> Floats:
    """1 at `centre`, falling off as a Gaussian of that width."""
    t = np.subtract(x, centre)
    t *= t.dtype.type(np.sqrt(0.5) / width)
    t *= t
    np.negative(t, out=t)
    return np.exp(t, out=t)


def paint_skin(
    seed: int, skin: SkinMap, complexion: Complexion, traits: Traits, make_up: MakeUp | None = None
) -> Floats:
    """The face's diffuse reflectance, (size, size); plain cheek and forehead average the complexion's reflectance."""
    if make_up is not None:
        traits = make_up.on(traits)
    rng = stream(seed, "paint")
    size = skin.size
    texture = complexion.generator.texture
    x, y, z = (np.ascontiguousarray(skin.position_mm[..., axis]) for axis in range(3))
    side = np.abs(x)
    front = smooth(z, 60.0, 25.0)
    tint = np.ones((size, size), np.float32)

    for cells, share in texture.blotches:
        tint += np.float32(traits.blotch * share * 0.6) * texture.mottle(rng, size, cells, cells)
    tint += np.float32(traits.pores) * texture.mottle(rng, size, texture.pore_cells, texture.pore_cells)
    # What follows is on the front of the face alone, and elsewhere changes nothing.
    face = np.flatnonzero(front > 0)
    tint_ahead, front_ahead = tint.reshape(-1)[face], front.reshape(-1)[face]
    x_ahead, y_ahead, side_ahead = (values.reshape(-1)[face] for values in (x, y, side))
    tint_ahead *= 1 + traits.cheek_gradient * bump(side_ahead, 42, 15) * bump(y_ahead, 38, 18) * front_ahead
    tint_ahead *= 1 + traits.shine_zone * bump(side_ahead, 0, 22) * smooth(y_ahead, 30, -20) * front_ahead
    tint_ahead *= 1 - traits.socket * bump(side_ahead, 27, 13) * bump(y_ahead, -3, 11) * front_ahead
    tint_ahead *= 1 + traits.nose_shade * bump(side_ahead, 13, 5) * bump(y_ahead, 24, 15) * front_ahead
    if traits.freckles:
        spots = texture.mottle(rng, size, texture.freckle_cells, texture.freckle_cells).reshape(-1)[face]
        zone = bump(side_ahead, 24, 20) * bump(y_ahead, 28, 16) * front_ahead
        tint_ahead *= 1 - 0.28 * traits.freckles * zone * smooth(spots, 0.9, 1.6)
    _wrinkles(rng, tint_ahead, traits, side_ahead, x_ahead, y_ahead, front_ahead)
    tint.reshape(-1)[face] = tint_ahead
    _moles(rng, tint, traits, skin)
    if texture.blemishes:
        _blemishes(stream(seed, "blemishes"), tint, texture, skin)
    if make_up is not None:
        make_up.even_out(tint, skin)
    _lips(rng, tint, traits, skin)
    _eyes(rng, tint, traits, skin)
    tint *= 1 - traits.hollow + traits.hollow * skin.openness

    reflectance = np.float32(complexion.reflectance) * np.clip(tint, 0.12, 1.5)
    _beard(rng, reflectance, traits, skin, side, front)
    _brows(rng, reflectance, traits, x, y, front)
    _lashes(rng, reflectance, traits, skin)
    if make_up is not None:
        make_up.line_eyes(reflectance, skin)
    reflectance[-12:, :] = 0.05  # the last rows are what cavities sample: mouth, eye sockets
    return np.clip(reflectance, 0.02, 0.75).astype(np.float32)


def _wrinkles(
    rng: np.random.Generator, tint: Floats, traits: Traits, side: Floats, x: Floats, y: Floats, front: Floats
) -> None:
    for _ in range(int(rng.integers(2, 5))):
        middle, swing, length, phase = (float(rng.uniform(*ends)) for ends in ((-62, -30), (2, 6), (14, 26), (0, 6)))
        strength = traits.forehead_lines * rng.uniform(0.5, 1.0)
        near = np.flatnonzero(np.abs(y - middle) < swing + _GONE)
        height = middle + swing * np.cos(x[near] / length + phase)
        tint[near] *= 1 - strength * bump(y[near], height, 1.0) * smooth(side[near], 46, 28) * front[near]
    near = np.flatnonzero((side > 46) & (side < 64))
    beside = smooth(side[near], 46, 49) * smooth(side[near], 64, 56) * front[near]
    for _ in range(3):
        slope = rng.uniform(-0.5, 0.5)
        line = rng.uniform(-4, 6) + slope * (side[near] - 48)
        tint[near] *= 1 - traits.crows_feet * bump(y[near], line, 0.7) * beside
    near = np.flatnonzero((y > 36) & (y < 80))
    fold = 17.0 + 14.0 * smooth(y[near], 38.0, 74.0)
    along = smooth(y[near], 36, 44) * smooth(y[near], 80, 70) * front[near]
    tint[near] *= 1 - traits.nasolabial * bump(side[near], fold, 1.6) * along
    for sign in (-1, 1):
        if rng.random() < 0.3 + 0.4 * traits.age:
            centre = sign * rng.uniform(3, 6)
            near = np.flatnonzero(np.abs(x - centre) < 0.8 * _GONE)
            line = bump(x[near], centre, 0.8) * bump(y[near], -18, 6) * front[near]
            tint[near] *= 1 - 0.5 * traits.forehead_lines * line
    near = np.flatnonzero((y > 11.5 - 3.2 * _GONE) & (y < 14.5 + 3.2 * _GONE))
    bag = 11.5 + 3.0 * bump(side[near], 31, 10)
    tint[near] *= 1 - traits.under_eye * bump(y[near], bag, 3.2) * bump(side[near], 29, 10) * front[near]


def _moles(rng: np.random.Generator, tint: Floats, traits: Traits, skin: SkinMap) -> None:
    for _ in range(traits.mole_count):
        centre = np.array([rng.uniform(-55, 55), rng.uniform(-60, 100)], np.float32)
        radius = rng.uniform(0.9, 2.2)
        x, y, near = _about(skin, centre[0], centre[1], radius * 1.25)
        spot = smooth(np.hypot(x - centre[0], y - centre[1]), radius * 1.25, radius * 0.75)
        tint.reshape(-1)[near] *= 1 - np.float32(rng.uniform(0.3, 0.65)) * spot


def _blemishes(rng: np.random.Generator, tint: Floats, texture: Texture, skin: SkinMap) -> None:
    """Scars, which return more light than the skin about them, and spots, which return less (contrast assumed)."""
    for _ in range(int(rng.poisson(texture.blemishes))):
        along, across = float(rng.uniform(1.0, 5.0)), float(rng.uniform(0.6, 1.8))
        turn, right, down = rng.uniform(0, np.pi), rng.uniform(-55, 55), rng.uniform(-60, 100)
        x, y, near = _about(skin, right, down, 5 * max(along, across))
        far = (x - right) * np.cos(turn) + (y - down) * np.sin(turn)
        beside = (y - down) * np.cos(turn) - (x - right) * np.sin(turn)
        spot = np.exp(-0.5 * ((far / along) ** 2 + (beside / across) ** 2))
        tint.reshape(-1)[near] *= 1 + np.float32(rng.uniform(-0.25, 0.18)) * spot.astype(np.float32)


def _about(skin: SkinMap, x_mm: float, y_mm: float, reach_mm: float) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """The texels of the face within a square: their x, their y, and which they are."""
    x, y, z = (skin.position_mm[..., axis].reshape(-1) for axis in range(3))
    near = np.flatnonzero((np.abs(x - np.float32(x_mm)) < reach_mm) & (np.abs(y - np.float32(y_mm)) < reach_mm))
    near = near[z[near] < 60]
    return x[near], y[near], near


def _at(near: NDArray[np.intp], *fields: Floats) -> tuple[Floats, ...]:
    return tuple(field.reshape(-1)[near] for field in fields)


def _lips(rng: np.random.Generator, tint: Floats, traits: Traits, skin: SkinMap) -> None:
    wrinkled = mottle(rng, skin.size, 60, 420)
    near = np.flatnonzero((skin.seam_distance_mm < 16) | (skin.upper_lip > 0.15) | (skin.lower_lip > 0.15))
    upper_lip, lower_lip, seam_mm = _at(near, skin.upper_lip, skin.lower_lip, skin.seam_distance_mm)
    creases = 1 + 0.03 * wrinkled.reshape(-1)[near]
    upper, lower = smooth(upper_lip, 0.15, 0.6), smooth(lower_lip, 0.15, 0.6)
    shown = tint.reshape(-1)[near]
    shown *= 1 + (traits.lip_upper * creases - 1) * upper
    shown *= 1 + (traits.lip_lower * creases - 1) * lower * (1 - upper)
    ring = bump(upper_lip, 0.2, 0.08) + bump(lower_lip, 0.2, 0.08)
    shown *= 1 - 0.6 * traits.lip_outline * np.clip(ring, 0, 1) * (seam_mm < 16)
    shown *= 1 - 0.55 * smooth(seam_mm, 1.8, 0.3)
    tint.reshape(-1)[near] = shown


def _eyes(rng: np.random.Generator, tint: Floats, traits: Traits, skin: SkinMap) -> None:
    crease = rng.uniform(3.5, 6.5)
    depth = rng.uniform(0.0, 0.3)
    near = np.flatnonzero(skin.lid_distance_mm < 6.5 + 0.7 * _GONE)
    lid_mm, upper = _at(near, skin.lid_distance_mm, skin.upper_lid)
    shown = tint.reshape(-1)[near]
    shown *= 1 - traits.lid_shadow * smooth(lid_mm, 9.0, 3.0) * upper
    shown *= 1 - depth * bump(lid_mm, crease, 0.7) * upper
    tint.reshape(-1)[near] = shown


def _lashes(rng: np.random.Generator, reflectance: Floats, traits: Traits, skin: SkinMap) -> None:
    reach = rng.uniform(1.0, 3.2)
    below = rng.uniform(0.2, 0.6)
    near = np.flatnonzero(skin.lid_distance_mm < reach)
    lid_mm, upper = _at(near, skin.lid_distance_mm, skin.upper_lid)
    amount = traits.lash * smooth(lid_mm, reach, 0.3) * np.where(upper > 0.5, 1.0, below)
    flat = reflectance.reshape(-1)
    flat[near] += (amount * (0.08 - flat[near])).astype(np.float32)


def _brows(rng: np.random.Generator, reflectance: Floats, traits: Traits, x: Floats, y: Floats, front: Floats) -> None:
    hairs = mottle(rng, reflectance.shape[0], 220, 300).reshape(-1)
    flat, x, y, front = (values.reshape(-1) for values in (reflectance, x, y, front))
    leans = [float(rng.normal(0, 0.7, 4)[0]) for _ in range(2)]
    bends = abs(traits.brow_arch) + abs(traits.brow_tail) + abs(traits.brow_slope) * 1.1 * traits.brow_outer
    reach = traits.brow_height + max(map(abs, leans)) + bends + 1.05 * traits.brow_width
    about = np.flatnonzero((np.abs(y) < reach) & (np.abs(x) < 1.1 * traits.brow_outer) & (front > 0))
    for sign, lean in zip((1, -1), leans, strict=True):
        across = (sign * x[about] - traits.brow_inner) / (traits.brow_outer - traits.brow_inner)
        # Elsewhere there is none of it; above and below it falls to nothing by itself.
        within = (across > -0.06) & (across < 1.06)
        near, t = about[within], across[within]
        along = sign * x[near]
        within = np.clip(t, 0, 1)
        peak = 0.62
        arch = traits.brow_arch * np.clip(1 - ((t - peak) / peak) ** 2, -0.5, 1)
        tail = traits.brow_tail * np.clip((t - peak) / (1 - peak), 0, 1) ** 2
        height = -(traits.brow_height + lean) - arch + tail + traits.brow_slope * along * np.clip(1 - t, 0, 1)
        width = (traits.brow_width * (1 - 0.62 * within * np.sqrt(within))).astype(np.float32)
        off = np.abs(y[near] - height) / width
        share = smooth(off, 1.05, 0.45) * smooth(t, -0.06, 0.10) * smooth(t, 1.06, 0.86)
        amount = np.clip(traits.brow_density * share * _thinned(hairs[near]), 0, 0.96) * front[near]
        flat[near] += amount * (traits.brow_reflectance - flat[near])
    if traits.monobrow:
        wide, high = traits.brow_inner * 0.6, traits.brow_width * 0.6
        near = np.flatnonzero((np.abs(x) < wide * _GONE) & (np.abs(y + traits.brow_height) < high * _GONE))
        share = bump(x[near], 0.0, wide) * bump(y[near], -traits.brow_height, high) * front[near]
        amount = np.clip(traits.monobrow * share * _thinned(hairs[near]), 0, 0.9)
        flat[near] += amount * (traits.brow_reflectance - flat[near])


def _thinned(hairs: Floats) -> Floats:
    return 0.85 + 0.25 * np.clip(hairs, -2, 2)


def _beard(
    rng: np.random.Generator, reflectance: Floats, traits: Traits, skin: SkinMap, side: Floats, front: Floats
) -> None:
    ragged, hairs = mottle(rng, skin.size, 90, 90), mottle(rng, skin.size, 330, 330)
    if not max(traits.moustache, traits.chin_beard, traits.jaw_beard) > 0:
        return
    y, z = skin.position_mm[..., 1], skin.position_mm[..., 2]
    near = np.flatnonzero((y > -25) & (y < 128) & (z < 84))  # below the eyes, before the ears: all of it
    y, z, side, front, ragged, hairs = _at(near, y, z, side, front, ragged, hairs)
    ragged, hairs = 2.5 * ragged, 0.75 + 0.25 * np.clip(hairs, -2, 2)
    upper_lip, lower_lip, ear = _at(near, skin.upper_lip, skin.lower_lip, skin.ear)
    lips = np.maximum(smooth(upper_lip, 0.12, 0.3), smooth(lower_lip, 0.12, 0.3))
    moustache = smooth(y + ragged * 0.4, 46, 50) * smooth(y, 70, 64) * smooth(side + ragged * 0.5, 33, 27) * front
    chin = smooth(y + ragged, 74, 80) * smooth(side + ragged, 34, 26) * smooth(z, 20, 5) * smooth(y, 128, 116)
    chin = np.maximum(chin, bump(side, 30, 3.5) * smooth(y, 58, 66) * smooth(y, 96, 86) * front)
    line = traits.beard_line - 0.62 * np.clip(side - 24, 0, 60)
    jaw = smooth(y + ragged - line, -2, 4) * smooth(side, 26, 32) * smooth(z, 82, 70) * smooth(y, 125, 112)
    jaw = np.maximum(jaw, smooth(z, 50, 58) * smooth(z, 84, 76) * smooth(y, -25, -15) * smooth(y, 60, 50) * (side > 55))
    share = np.maximum.reduce([traits.moustache * moustache, traits.chin_beard * chin, traits.jaw_beard * jaw])
    amount = np.clip(share * hairs * (1 - lips) * (1 - smooth(ear, 0.1, 0.3)), 0, 0.97)
    flat = reflectance.reshape(-1)
    flat[near] += amount * (traits.hair_reflectance * 0.9 - flat[near])
