"""The search for a design: an evolution strategy (CMA-ES) over what BOUNDS leaves open, asked and told by generation.

It ranks designs within a generation alone, so each generation is presented by one wearer to one unit under one nonce:
between its designs nothing but the design differs. It is a function of its seed and of what it was told.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from cmaes import CMA

from faceward_sim.world.adaptive import BOUNDS, AdaptiveDesign

SPREAD = 0.22  # of each bound's width, in the first generation


class Search:
    """Ask for a generation, present it, tell its scores; from the usual design on.

    :param size: designs of a generation, at least 4.
    :param second_band: whether the sensors see a second band; otherwise what it alone sees stays as usual.
    """

    def __init__(self, seed: int, size: int, *, second_band: bool) -> None:
        if size < 4:
            raise ValueError(f"a generation has 4 designs at least, not {size}")
        self.names = tuple(name for name, bound in BOUNDS.items() if second_band or not bound.second_band)
        self.size = size
        usual = AdaptiveDesign()
        start = np.array([BOUNDS[name].share(getattr(usual, name)) for name in self.names])
        reach = np.tile([0.0, 1.0], (len(self.names), 1))
        # Edges are allowed, but the strategy wants its start inside.
        self._cma = CMA(mean=np.clip(start, 0.05, 0.95), sigma=SPREAD, bounds=reach, seed=seed, population_size=size)

    def ask(self) -> tuple[AdaptiveDesign, ...]:
        """The next generation."""
        return tuple(self._design(self._cma.ask()) for _ in range(self.size))

    def tell(self, designs: Sequence[AdaptiveDesign], scores: Sequence[float]) -> None:
        """What came of a generation; it goes on from these designs, whatever it asked for.

        Raises ValueError: other numbers of designs or scores than `size`.
        """
        if not len(designs) == len(scores) == self.size:
            raise ValueError(f"{len(designs)} designs and {len(scores)} scores for a generation of {self.size}")
        # It minimises.
        self._cma.tell([(self._point(design), -score) for design, score in zip(designs, scores, strict=True)])

    @property
    def middle(self) -> AdaptiveDesign:
        """Where the search stands: the centre from which the next generation is drawn."""
        return self._design(np.clip(self._cma.mean, 0.0, 1.0))

    def _design(self, point: np.ndarray) -> AdaptiveDesign:
        return AdaptiveDesign(
            **{name: BOUNDS[name].at(float(share)) for name, share in zip(self.names, point, strict=True)}
        )

    def _point(self, design: AdaptiveDesign) -> np.ndarray:
        shares = [BOUNDS[name].share(getattr(design, name)) for name in self.names]
        return np.clip(np.array(shares), 0.0, 1.0)
