"""How many tokens an image and a text cost. Knows no price and no provider by name (profiles do).

Image rules as providers describe them, read in November 2026; always shown beside the usage that a provider reports.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

CHARACTERS_PER_TOKEN = 4.0
"""Of English text; the rule of thumb that providers give."""


class TokenRuleKind(StrEnum):
    """Which rule counts an image's tokens."""

    PATCH = "patch"
    """Patches of `patch_px`, at most `cap` of them, times `factor`."""
    TILE = "tile"
    """`base` plus `cap` per 512-px tile, after the image was fitted to 2048 px and its shorter side to 768 px."""
    FLAT = "flat"
    """`base`, whatever the size."""


@dataclass(frozen=True, slots=True)
class TokenRule:
    """One provider's way of counting.

    Attributes:
        kind: Which rule.
        patch_px: Side of a patch in pixels.
        factor: Tokens per patch.
        cap: For patches: most patches, 0 for no limit. For tiles: tokens per tile.
        base: Tokens of any image.
    """

    kind: TokenRuleKind = TokenRuleKind.PATCH
    patch_px: int = 32
    factor: float = 1.0
    cap: int = 0
    base: int = 0

    def image_tokens(self, width_px: int, height_px: int) -> int:
        """Tokens of an image that is sent at the given size."""
        if self.kind is TokenRuleKind.FLAT:
            return self.base
        if self.kind is TokenRuleKind.TILE:
            fit = min(1.0, 2048 / max(width_px, height_px))
            fit *= min(1.0, 768 / (min(width_px, height_px) * fit))
            return self.base + self.cap * math.ceil(width_px * fit / 512) * math.ceil(height_px * fit / 512)
        patches = math.ceil(width_px / self.patch_px) * math.ceil(height_px / self.patch_px)
        return self.base + math.ceil((min(patches, self.cap) if self.cap else patches) * self.factor)


def text_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)
