"""Plain values that inspectors are made from. Knows no settings class."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InspectorOptions:
    """What an inspector may need to be made; each takes what concerns it.

    Attributes:
        concurrency: Most images or calls at once.
    """

    concurrency: int = 4
