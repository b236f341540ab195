"""Presentation attack instruments: sheets, screens, masks and heads themselves, apart from who shows them.

Each module ends in a table of its species; a new species is one more entry there. What a material does with light comes
from transport in a shell or a slab that each instrument draws for itself.
"""

from __future__ import annotations

from faceward_sim.world.instruments.batches import draw_matched_silicone, draw_typical_silicone
from faceward_sim.world.instruments.victims import victim_seed

__all__ = ["draw_matched_silicone", "draw_typical_silicone", "victim_seed"]
