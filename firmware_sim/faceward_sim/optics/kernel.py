"""How the loops over pixels, triangles and dots are compiled.

Compiled once and kept on disk, run without the interpreter's lock, in the arithmetic that vectors have: sums in any order,
no NaN, and no check for a division by zero, which would leave every loop scalar. Whoever divides makes sure beforehand.
"""

from __future__ import annotations

from numba import njit

kernel = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
inlined = njit(cache=True, nogil=True, fastmath=True, error_model="numpy", inline="always")
