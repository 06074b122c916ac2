"""What counts as a word in a note or a rationale. Knows no note."""

from __future__ import annotations

WORD = r"(?u)\b[^\W\d_][\w-]+\b"
"""Regular expression of one word: a letter first, two characters at least."""
