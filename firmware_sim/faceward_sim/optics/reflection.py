"""How much light a point of a surface sends to the camera: a Lambertian part and a Fresnel-weighted Beckmann lobe."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def sample(texels, offset, rows, columns, u, v):
    """Bilinear reflectance at (u, v), v downwards, clamped at the border."""
    x = min(max(u * columns - 0.5, 0.0), columns - 1.0)
    y = min(max(v * rows - 0.5, 0.0), rows - 1.0)
    x0, y0 = int(x), int(y)
    fx, fy = x - x0, y - y0
    x1, y1 = min(x0 + 1, columns - 1), min(y0 + 1, rows - 1)
    top, bottom = offset + y0 * columns, offset + y1 * columns
    upper = texels[top + x0] * (1.0 - fx) + texels[top + x1] * fx
    lower = texels[bottom + x0] * (1.0 - fx) + texels[bottom + x1] * fx
    return upper * (1.0 - fy) + lower * fy


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def lobe(ndl, ndv, ndh, vdh, f0, roughness2):
    """pi times the microfacet reflectance without its 1/(n.l): F D G / (4 n.v), Cook and Torrance 1982.

    `ndl`, `ndv`, `ndh`, `vdh` are cosines between normal, light, view and half vector; Schlick's Fresnel term.
    """
    c2 = ndh * ndh
    tilt = (1.0 - c2) / (c2 * roughness2)
    if tilt > 16.0 or ndl <= 0.0 or ndv <= 0.0:
        return 0.0
    fresnel = f0 + (1.0 - f0) * max(1.0 - vdh, 0.0) ** 5
    shadow = min(1.0, 2.0 * ndh * min(ndv, ndl) / vdh)
    return fresnel * np.exp(-tilt) / (roughness2 * c2 * c2) * shadow / (4.0 * ndv)
