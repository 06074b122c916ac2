"""Count what an export leaves out, and why. Knows no file format."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Written:
    """What a writer did, so that nothing is lost in silence.

    Attributes:
        written: Examples, or boxes, in the file.
        left_out: Reason in words to number.
    """

    written: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def leave_out(self, reason: str, *, count: int = 1) -> None:
        """Count something that is not in the file."""
        if count:
            self.left_out[reason] += count
