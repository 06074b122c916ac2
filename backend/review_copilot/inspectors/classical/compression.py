"""How visible the 8 x 8 blocks of JPEG are. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from review_copilot.inspectors.classical.frame import Floats, Grey

BLOCK_PX = 8


@dataclass(frozen=True, slots=True)
class Blocking:
    """The jump at block borders against the jumps inside blocks.

    Attributes:
        ratio: Mean jump at the borders over the mean elsewhere, 1 for none.
        jump: Mean extra jump in grey levels.
    """

    ratio: float
    jump: float


def blocking(grey: Grey) -> Blocking:
    """Blockiness after Z. Wang, H. Sheikh, A. Bovik (ICIP 2002), "No-reference perceptual quality assessment of JPEG".

    The grid's offset is searched, so cropped pictures count too. Under 4 blocks a side there is nothing to say.
    """
    if min(grey.shape) < 4 * BLOCK_PX:
        return Blocking(1.0, 0.0)
    work = grey.astype(np.float32)
    across = _second_jump(work).mean(axis=0)
    down = _second_jump(np.ascontiguousarray(work.T)).mean(axis=0)
    a, b = _at_grid(across), _at_grid(down)
    return Blocking(ratio=min(a.ratio, b.ratio), jump=min(a.jump, b.jump))


def _second_jump(work: Floats) -> Floats:
    """The jump between columns beyond what the slopes on both sides explain."""
    jump = work[:, 1:] - work[:, :-1]
    slope = (jump[:, :-2] + jump[:, 2:]) / 2
    return np.asarray(np.abs(jump[:, 1:-1] - slope), np.float32)


def _at_grid(profile: Floats) -> Blocking:
    whole = profile[: profile.size // BLOCK_PX * BLOCK_PX].reshape(-1, BLOCK_PX)
    phase = np.median(whole, axis=0)
    best = int(np.argmax(phase))
    rest = float(np.delete(phase, [best, (best + 1) % BLOCK_PX, (best - 1) % BLOCK_PX]).mean())
    return Blocking(ratio=float((phase[best] + 0.05) / (rest + 0.05)), jump=float(phase[best]) - rest)
