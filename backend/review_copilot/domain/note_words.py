"""Definition of a word in notes and rationales. Knows no note."""

from __future__ import annotations

WORD = r"(?u)\b[^\W\d_][\w-]+\b"
"""Regular expression of one word: it starts with a letter and has at least two characters."""
