"""The network that is kept while another of its shape learns. Knows no picture.

Needs torch, which the product does without.
"""

from __future__ import annotations

import torch
from torch import nn


def follow(kept: nn.Module, learning: nn.Module, *, share: float) -> None:
    """Move all numbers of one network by a share toward those of another (B. Polyak, A. Juditsky, 1992)."""
    with torch.no_grad():
        for value, new in zip(kept.state_dict().values(), learning.state_dict().values(), strict=True):
            if value.dtype.is_floating_point:
                value.lerp_(new, share)
