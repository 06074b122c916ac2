"""Count what an export skips, and why. Knows no file format."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Written:
    """Result of a writer, so that nothing is lost silently.

    Attributes:
        written: Examples, or boxes, in the file.
        left_out: Reason to number.
    """

    written: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def leave_out(self, reason: str, *, count: int = 1) -> None:
        """Count something that was skipped."""
        if count:
            self.left_out[reason] += count
