"""CleanVision's opinion of pictures. Knows nothing of this product."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from review_copilot.domain.image import Pixels

CHECKS = ("dark", "light", "blurry", "low_information")


def cleanvision_flags(pictures: Sequence[Pixels]) -> list[frozenset[str]]:
    """Names of the columns in which CleanVision finds an issue, for each picture; its own default thresholds."""
    from cleanvision import Imagelab  # noqa: PLC0415  slow to import, and only needed here

    with tempfile.TemporaryDirectory() as room:
        paths = [Path(room) / f"{index:05d}.png" for index in range(len(pictures))]
        for path, pixels in zip(paths, pictures, strict=True):
            cv2.imwrite(str(path), np.ascontiguousarray(pixels[:, :, ::-1]))
        lab = Imagelab(filepaths=[str(p) for p in paths])
        with contextlib.redirect_stdout(io.StringIO()):
            lab.find_issues({check: {} for check in CHECKS}, n_jobs=1)
        table = lab.issues
        return [
            frozenset(f"is_{check}_issue" for check in CHECKS if bool(table.loc[str(path), f"is_{check}_issue"]))
            for path in paths
        ]
