"""How wide a projected dot's light has spread inside what it fell on.

The image of a dot is the projector's spot and the lens's blur (both in the calibration) over the material's own spread.
What is measured is the height of a dot's peak over the mean light around it. The mean is the whole light of one dot in the
area that belongs to it, however far it spread, so their ratio needs neither albedo, power nor exposure; it falls as the
light spreads. A spread in which the light within r is 1 - exp(-r / s) describes skin (sensor-physics.md: r90 / r50 is 3.2
to 3.5, and ln 10 / ln 2 is 3.3); others are given the r50 of the skin-like spread with the same peak.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from faceward.plugin import Calibration
from numpy.typing import NDArray

_MTF50_SIGMA = 0.18739  # a Gaussian blur of s px halves contrast at sqrt(ln 2 / (2 pi^2)) / s cycles a pixel
_HALF_LIGHT_SIGMA = 0.84932  # a Gaussian spot holds half its light within s / .84932: 1 / sqrt(2 ln 2)
_TAP_SIGMA_PX = 0.8  # the peak is read through a blur of our own, so that pixel noise and place matter less
_CELL_RADIUS = 0.5642  # of the pitch: the circle of one dot's own area, 1 / sqrt(pi); other dots lie outside of it
_MEAN_PITCHES = 3  # the mean is taken over so many dots each way
_R50_PX = np.geomspace(0.02, 16.0, 240)


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """Dots found in an image: (N,) arrays of places in the patch's pixels and of peak over mean."""

    x_px: NDArray[np.float32]
    y_px: NDArray[np.float32]
    peak: NDArray[np.float32]


class DotSpread:
    """The sensor's dots: finds them, and turns their peaks into a spread on the surface."""

    def __init__(self, calibration: Calibration, width_px: int) -> None:
        """`width_px` is the frames' width; the calibration speaks of the sensor's full size."""
        scale = width_px / calibration.infrared.width_px
        fx_px = calibration.infrared.fx_px
        self.pitch_px = calibration.dot_pitch_mrad * 1e-3 * fx_px * scale
        lens_px = _MTF50_SIGMA / calibration.lens_mtf50_cy_per_px * scale
        spot_px = calibration.dot_spot_mrad * 1e-3 * fx_px * _HALF_LIGHT_SIGMA * scale
        blur_px = float(np.sqrt(lens_px**2 + spot_px**2 + _TAP_SIGMA_PX**2))
        self._noise_counts = calibration.read_noise_counts
        self._box = 2 * (round(_MEAN_PITCHES * self.pitch_px) // 2) + 1
        # Falls from a point's peak to 1, where the light has spread evenly.
        self._peak_of_r50 = _peak_over_mean(_R50_PX / np.log(2.0), blur_px, self.pitch_px)

    def find(self, light: NDArray[np.float32], gain: float) -> Dots:
        """Dots in a patch of light: counts above black and ambient, (rows, columns) float32."""
        tapped = cv2.GaussianBlur(light, (0, 0), _TAP_SIGMA_PX, borderType=cv2.BORDER_REFLECT)
        mean = cv2.boxFilter(light, cv2.CV_32F, (self._box, self._box), borderType=cv2.BORDER_REFLECT)
        reach = 2 * max(1, round(0.25 * self.pitch_px)) + 1
        highest = cv2.dilate(tapped, np.ones((reach, reach), np.uint8))
        found = (tapped >= highest) & (tapped > 1.1 * mean) & (mean > 0.3 * self._noise_counts * gain)
        found[:2], found[-2:], found[:, :2], found[:, -2:] = False, False, False, False
        y, x = np.nonzero(found)
        top = tapped[y, x]
        dx, rise_x = _vertex(tapped[y, x - 1], top, tapped[y, x + 1])
        dy, rise_y = _vertex(tapped[y - 1, x], top, tapped[y + 1, x])
        peak = (top + rise_x + rise_y) / mean[y, x]
        return Dots((x + dx).astype(np.float32), (y + dy).astype(np.float32), peak.astype(np.float32))

    def r50_px(self, peak: NDArray[np.float32]) -> NDArray[np.float64]:
        """Radius in the image that holds half of a dot's light, blur taken off, from peak over mean."""
        return np.interp(-peak.astype(np.float64), -self._peak_of_r50, _R50_PX)


def _peak_over_mean(s_px: NDArray[np.float64], blur_px: float, pitch_px: float) -> NDArray[np.float64]:
    """A blurred dot's peak and its neighbours' tails, over one dot's light spread on its own area.

    The peak of exp(-r/s) / (2 pi r s) under a Gaussian blur is the integral over r of exp(-r/s) / s times the Gaussian.
    """
    t = np.linspace(0.0, 6.0, 1500) * blur_px
    weight = np.exp(-0.5 * (t / blur_px) ** 2) / (2.0 * np.pi * blur_px**2)
    # By parts, since the exponential is narrower than any grid when s is small: shares of light between the radii.
    shares = np.diff(1.0 - np.exp(-t[None, :] / s_px[:, None]), axis=1)
    own = shares @ ((weight[1:] + weight[:-1]) / 2.0)
    return own * pitch_px**2 + np.exp(-_CELL_RADIUS * pitch_px / s_px)


def _vertex(
    before: NDArray[np.float32], top: NDArray[np.float32], after: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Offset and rise of the parabola's vertex over the middle one of three samples."""
    bend = np.maximum(2.0 * top - before - after, 1e-6)
    slope = after - before
    offset = np.clip(0.5 * slope / bend, -0.5, 0.5)
    return offset, np.maximum(0.25 * slope * offset, 0.0)
