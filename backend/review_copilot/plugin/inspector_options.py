"""Options that every inspector is created from. Knows no model and no settings class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ENTRY_POINT_GROUP = "review_copilot.inspectors"
"""Entry point group of inspector factories."""


@dataclass(frozen=True, slots=True)
class InspectorOptions:
    """Plain values that an inspector factory receives. Each factory reads the options that it needs.

    Attributes:
        concurrency: Maximum number of images inspected at the same time, at least 1.
        values: Options of individual inspectors by name, such as {"editing_budget_s": 3.0}. Unknown names are ignored.
    """

    concurrency: int = 4
    values: Mapping[str, float | str | bool] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        """The number under a name, or the default when the name is absent.

        Raises:
            TypeError: The value is not a number.
        """
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"Inspector option {name!r} must be a number, not {value!r}.")
        return float(value)
