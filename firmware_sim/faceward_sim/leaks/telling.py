"""A classifier looks at worn masks and at the living, but only where masks give nothing away.

Five kinds of cues are tried, each by itself and all together: the background in the frame's corners; metadata and
calibration; how heads move and answer; the noise of pixels; the edges of silhouettes. Living people and wearers are all
different, each with a unit, a tone and a distance of their own, drawn alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import Exposure, Illumination, Prompt
from faceward_sim.leaks.finding import Finding
from faceward_sim.optics.structured_light import StructuredLightImager, build_sl_940
from faceward_sim.world.actors import ACTORS
from faceward_sim.world.instruments.masks import MASKS, Extent

Floats = NDArray[np.float64]

# Masks over the whole head: what covers less leaves a body that differs as bodies in reality do.
SPECIES = tuple(design.name for design in MASKS if design.extent is Extent.HEAD)
KINDS = ("background", "metadata", "timing", "noise", "edges")
LEVEL = 0.95
FOLDS, TREES, RESAMPLES = 5, 300, 2_000
_SLOT_US = 33_333
_EXPOSURE_US = 2_000
_CORNER_PX = 72
_ACTED_S = 9.0
_FIRST_LIGHT = 0.08  # of what the bright parts of a row return
_BEFORE_PX, _BEHIND_PX = 4, 2  # of an outline


@dataclass(frozen=True, slots=True)
class Telling:
    """How well a kind of cue tells attacks: area under the ROC curve of held-out scores, with its interval."""

    kind: str
    auc: float
    low: float
    high: float


def check_telling(seed: int, count: int, told: Callable[[str], None]) -> Iterator[Finding]:
    """`count` living people and as many masks.

    :raises ImportError: scikit-learn is not installed.
    :raises ValueError: fewer than 10 on each side.
    """
    if count < 10:
        raise ValueError(f"a classifier needs 10 of each side or more, not {count}")
    import sklearn  # noqa: F401 - to fail before minutes of rendering

    rng = np.random.default_rng([seed, 0x7E11])
    rows, labels = [], []
    for number in range(2 * count):
        attack = number % 2 == 1
        name = SPECIES[number // 2 % len(SPECIES)] if attack else "live"
        drawn = int(rng.integers(1, 2**31))
        told(f"{name} {drawn}")
        rows.append(cues(name, drawn, float(rng.uniform(320, 480)), float(rng.uniform(1, 4))))
        labels.append(attack)
    for telling in tell(rows, np.array(labels), seed):
        found = f"AUC {telling.auc:.3f}, interval {telling.low:.3f} to {telling.high:.3f}, {count} a side"
        yield Finding("classifier", telling.kind, found, "interval holds .5, or AUC below", telling.low <= 0.5)


def tell(rows: Sequence[dict[str, Floats]], attack: NDArray[np.bool_], seed: int) -> Iterator[Telling]:
    """Each kind of cue by itself, then all together. Intervals hold jointly at LEVEL (Bonferroni).

    :raises ImportError: scikit-learn is not installed.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    kinds = {kind: np.array([row[kind] for row in rows]) for kind in rows[0]}
    kinds["all together"] = np.concatenate(list(kinds.values()), axis=1)
    tail = (1 - LEVEL) / 2 / len(kinds)
    for kind, values in kinds.items():
        trees = ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=seed)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        score = cross_val_predict(trees, values, attack, cv=folds, method="predict_proba")[:, 1]
        rng = np.random.default_rng([seed, 0xB007])
        aucs = []
        yes, no = np.flatnonzero(attack), np.flatnonzero(~attack)
        for _ in range(RESAMPLES):
            picked = np.concatenate([rng.choice(yes, len(yes)), rng.choice(no, len(no))])
            aucs.append(roc_auc_score(attack[picked], score[picked]))
        low, high = np.quantile(aucs, [tail, 1 - tail])
        yield Telling(kind, float(roc_auc_score(attack, score)), float(low), float(high))


def cues(name: str, seed: int, distance_mm: float, tone: float) -> dict[str, Floats]:
    """What is seen of one presentation, by KINDS."""
    imager = build_sl_940(ACTORS[name].build(seed, distance_mm=distance_mm, tone=tone), seed)
    lights = (Illumination.OFF, Illumination.FLOOD, Illumination.DOTS) * 3
    slots = [
        imager.expose(Exposure(slot, slot * _SLOT_US, light, _EXPOSURE_US, 1.0, Prompt.NONE))
        for slot, light in enumerate(lights)
    ]
    black = imager.calibration.black_level_counts
    dark, flood, dots = ([slots[k].infrared.astype(np.float64) - black for k in range(n, 9, 3)] for n in range(3))
    depth = [slots[k].depth for k in range(2, 9, 3)]
    temperatures = np.array([slot.temperature_c for slot in slots])
    background = [_spread(_corners(frame)) for frame in (dark[0], flood[0], dots[0])]
    background.append([float((_corners(frame) > 0).mean()) for frame in depth if frame is not None])
    noise = [_texture(_corners(frame)) for frame in (*dark, *flood)]
    noise.append(_texture(_corners(flood[1] - flood[0])))
    return {
        "background": np.concatenate(background),
        "metadata": np.concatenate([_spread(temperatures), _calibrated(imager)]),
        "timing": _timing(name, seed, distance_mm, tone),
        "noise": np.concatenate(noise),
        "edges": np.concatenate([_edges(frame - dark[0]) for frame in flood]),
    }


def _corners(frame: NDArray[np.generic]) -> NDArray[np.generic]:
    """The upper corners: there is the room alone, before whomever."""
    return np.stack([frame[:_CORNER_PX, :_CORNER_PX], frame[:_CORNER_PX, -_CORNER_PX:]])


def _spread(values: Floats) -> list[float]:
    return [float(values.mean()), float(values.std()), *np.quantile(values, [0.05, 0.5, 0.95]).tolist()]


def _texture(patches: Floats) -> list[float]:
    """Of the noise in flat patches: size, tails, and how neighbours go together."""
    smooth = patches - patches.mean(axis=(1, 2), keepdims=True)
    sigma = max(float(smooth.std()), 1e-9)
    across = float((smooth[:, :, 1:] * smooth[:, :, :-1]).mean()) / sigma**2
    down = float((smooth[:, 1:] * smooth[:, :-1]).mean()) / sigma**2
    tails = float(np.median(np.abs(smooth))) / sigma
    return [sigma, tails, across, down, float(len(np.unique(np.round(patches))))]


def _calibrated(imager: StructuredLightImager) -> list[float]:
    calibration = imager.calibration
    numbers = [getattr(calibration, name) for name in calibration.__slots__]
    optics = calibration.infrared
    own = [number for number in numbers if isinstance(number, float)]
    return [*own, optics.fx_px, optics.fy_px, optics.cx_px, optics.cy_px]


def _timing(name: str, seed: int, distance_mm: float, tone: float) -> Floats:
    """How the eyes' middle moves, and when and how fast the head answers a prompt to turn."""
    actor = ACTORS[name].build(seed, distance_mm=distance_mm, tone=tone)
    places, times = [], np.arange(0.0, _ACTED_S, 1 / 30)
    asked_s = 4.0
    for time_s in times:
        scene = actor.at(round(time_s * 1e6), Prompt.NONE if time_s < asked_s else Prompt.TURN_LEFT)
        places.append(next(s for s in scene.surfaces if s.material.name == "eye").vertices_mm.mean(axis=0))
    path = np.array(places, np.float64)
    still = path[times < asked_s]
    still = still - still.mean(axis=0)
    power = np.abs(np.fft.rfft(still * np.hanning(len(still))[:, None], axis=0)) ** 2
    hertz = np.fft.rfftfreq(len(still), 1 / 30)
    bands = [np.log(power[(hertz >= low) & (hertz < high)].sum(axis=0) + 1e-12)
             for low, high in ((0.2, 0.7), (0.7, 2.0), (2.0, 5.0), (5.0, 15.0))]  # fmt: skip
    turned = np.abs(path[times >= asked_s, 0] - still[-30:, 0].mean() - path[times < asked_s, 0].mean())
    end = max(float(turned[-30:].mean()), 1e-6)
    delay = float(np.argmax(turned > 0.3 * end)) / 30
    rise = float(np.argmax(turned > 0.8 * end)) / 30 - delay
    return np.concatenate([still.std(axis=0), *bands, [delay, rise, end]])


def _edges(light: Floats) -> Floats:
    """How sharp outlines stand against the background in rows of head and shoulders, and how ragged they are below.

    Seen where light first rises: further in, the fall of light tells how round a side is, and masks are thicker than skin.
    """
    widths, places = [], []
    rows, columns = light.shape
    for row in range(rows // 6, rows, 2):
        line = light[row]
        level = float(np.quantile(line, 0.9))
        for side in (line, line[::-1]):
            over = np.flatnonzero(side > _FIRST_LIGHT * level)
            if not len(over) or not _BEFORE_PX < over[0] < columns // 2:
                continue
            edge = int(over[0])
            outer, inner = float(side[edge - _BEFORE_PX]), float(side[edge + _BEHIND_PX])
            step = np.clip((side[edge - _BEFORE_PX : edge + _BEHIND_PX + 1] - outer) / max(inner - outer, 1.0), 0, 1)
            widths.append(float((step * (1 - step)).sum()))
            if row > 2 * rows // 3 and side is line:
                places.append(edge)
    ragged = np.abs(np.diff(places, 2)) if len(places) > 8 else np.zeros(1)
    spread = np.quantile(widths, [0.25, 0.5, 0.75]) if widths else np.zeros(3)
    return np.array([*spread, float(np.median(ragged)), float(np.mean(np.minimum(ragged, 6)))])
