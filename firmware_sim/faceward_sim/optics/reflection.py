"""How much light a point of a surface sends to the camera: a Lambertian part and a Fresnel-weighted Beckmann lobe."""

from __future__ import annotations

import numpy as np

from faceward_sim.optics.kernel import inlined

# Literals would be double precision, and every product with them: twice the time a pixel.
_ZERO, _HALF, _ONE, _TWO, _FOUR = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2), np.float32(4)
_SIXTEEN, _SIXTEENTH = np.float32(16), np.float32(1 / 16)
_C2, _C3, _C4, _C5, _C6 = (np.float32(1 / n) for n in (2, 6, 24, 120, 720))


@inlined
def sample(texels, offset, rows, columns, u, v):
    """Bilinear reflectance at (u, v) float32, v downwards, clamped at the border."""
    x = min(max(u * np.float32(columns) - _HALF, _ZERO), np.float32(columns - 1))
    y = min(max(v * np.float32(rows) - _HALF, _ZERO), np.float32(rows - 1))
    x0, y0 = int(x), int(y)
    fx, fy = x - np.float32(x0), y - np.float32(y0)
    x1, y1 = min(x0 + 1, columns - 1), min(y0 + 1, rows - 1)
    top, bottom = offset + y0 * columns, offset + y1 * columns
    upper = texels[top + x0] * (_ONE - fx) + texels[top + x1] * fx
    lower = texels[bottom + x0] * (_ONE - fx) + texels[bottom + x1] * fx
    return upper * (_ONE - fy) + lower * fy


@inlined
def lobe(ndl, ndv, ndh, vdh, f0, roughness2):
    """pi times the microfacet reflectance times n.l: F D G / (4 n.v), after Cook and Torrance 1982. All float32.

    `ndl`, `ndv`, `ndh`, `vdh` are positive cosines between normal, light, view and half vector; Schlick's Fresnel term.
    """
    c2 = ndh * ndh
    tilt = (_ONE - c2) / (c2 * roughness2)
    left = max(_ONE - vdh, _ZERO)
    left2 = left * left
    fresnel = f0 + (_ONE - f0) * left2 * left2 * left
    shadow = min(vdh, _TWO * ndh * min(ndv, ndl))
    light = fresnel * _fading(tilt) * shadow / (roughness2 * c2 * c2 * _FOUR * ndv * vdh)
    return light if tilt <= _SIXTEEN else _ZERO


@inlined
def _fading(tilt):
    """exp(-tilt) up to 16, to 1e-6 of itself up to 4: a call of exp would keep a loop from being vectorised."""
    t = min(tilt, _SIXTEEN) * _SIXTEENTH
    root = _ONE - t * (_ONE - t * (_C2 - t * (_C3 - t * (_C4 - t * (_C5 - t * _C6)))))
    root *= root
    root *= root
    root *= root
    return root * root
