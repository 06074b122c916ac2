"""The score from which each flaw is reported. Knows no pixels and no guideline.

The numbers stand in `operating_points.json`, written by `training/choose_thresholds.py`: chosen by F1 on photographs
that no fit has seen, with a limit on false alarms. The setting `MIN_SCORE` of the product only adds to them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

FILE = "operating_points.json"


def least_score(name: str) -> float:
    """Probability from which a flaw is reported, 0..1.

    Args:
        name: A measure of the catalogue, or "soft_patch" for defocus of a part of the image.

    Raises:
        KeyError: Nothing was chosen for that name.
    """
    return _chosen()[name]


@cache
def _chosen() -> dict[str, float]:
    text = resources.files("photo_inspector.scoring").joinpath(FILE).read_text(encoding="utf-8")
    return {str(name): float(value) for name, value in json.loads(text).items()}
