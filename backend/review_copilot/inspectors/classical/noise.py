"""How grainy the picture is. Knows no guideline."""

from __future__ import annotations

import numpy as np

from review_copilot.inspectors.classical.frame import Floats, Grey

TILE_PX = 16
"""Side of the tiles of which the smoothest speak for the noise."""


def noise_sigma(grey: Grey) -> float:
    """Standard deviation of the noise in grey levels, 0 for an image under 18 px.

    J. Immerkaer, "Fast noise variance estimation", CVIU 64 (1996): the mask [1 -2 1] by [1 -2 1] is blind to flat areas
    and ramps. It is read in tiles, and the quieter tenth speaks, so that texture does not count as noise.
    Tiles at the ends of the range, where noise is cut off, are left out while others remain.
    """
    energy, usable = _tile_energy(grey)
    if not usable.any():
        return 0.0
    return float(np.quantile(energy[usable], 0.1))


def _tile_energy(grey: Grey) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    rows, columns = (grey.shape[0] - 2) // TILE_PX, (grey.shape[1] - 2) // TILE_PX
    if rows < 1 or columns < 1:
        return np.zeros((0, 0), np.float32), np.zeros((0, 0), np.bool_)
    work = grey[: rows * TILE_PX + 2, : columns * TILE_PX + 2].astype(np.float32)
    across = work[:, :-2] - 2 * work[:, 1:-1] + work[:, 2:]
    mask = np.abs(across[:-2] - 2 * across[1:-1] + across[2:])
    shape = (rows, TILE_PX, columns, TILE_PX)
    energy = mask.reshape(shape).mean(axis=(1, 3)) * np.sqrt(np.pi / 2) / 6
    level = work[1:-1, 1:-1].reshape(shape).mean(axis=(1, 3))
    usable = (level > 12) & (level < 243)
    return energy.astype(np.float32), usable if usable.any() else np.ones_like(usable)
