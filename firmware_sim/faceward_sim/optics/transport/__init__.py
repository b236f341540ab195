"""How light travels in skin, masks and sheets: a layered Monte Carlo, and the table that it was run into."""
