"""What the built-in inspector says of photographs that a camera itself took out of focus, moved, or well.

python benchmarks/natural_blur.py --photos DIR

Nothing is planted. What each photograph shows is told by its file name, the way the public "Blur dataset" names its
triples of one scene: ..._F.jpg out of focus, ..._M.jpg moved, ..._S.jpg sharp. Prints how many of each kind are flagged
as what, and every photograph that is told wrongly. Nothing was fitted on such photographs.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import cv2

import importable  # noqa: F401  # first: the folders that the next imports need
from accuracy import as_image, criterion_of
from photo_inspector.inspector import BuiltinInspector
from photos import photographs
from planted import Planted
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels
from review_copilot.domain.suggestion import Brief
from review_copilot.library import load_guideline

SHOWN: Mapping[str, str] = MappingProxyType({"F": "defocus", "M": "motion_blur", "S": "sharp"})
"""What the last letter of a name says."""


def shown_by(name: str) -> str:
    """What a photograph shows, by its name; empty when the name does not say."""
    stem, _, letter = Path(name).stem.rpartition("_")
    return SHOWN.get(letter, "") if stem else ""


def blurs_of(pixels: Pixels) -> tuple[str, ...]:
    """Which kinds of blur the inspector reports of the whole picture; a soft patch is none."""
    guideline = load_guideline("photo-quality")
    said = BuiltinInspector().inspect(Brief(as_image(Planted("", "", Severity.MINOR, pixels)), guideline))
    whole = {finding.criterion_id for finding in said.findings if finding.box is None}
    return tuple(kind for kind in ("defocus", "motion_blur") if criterion_of(guideline, kind) in whole)


def main() -> None:
    """Inspect, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    kinds: Counter[str] = Counter()
    said: Counter[tuple[str, str]] = Counter()
    for name, pixels in photographs(options.photos, "all"):
        truth = shown_by(name)
        if not truth:
            continue
        blurs = blurs_of(pixels)
        kinds[truth] += 1
        said.update((truth, blur) for blur in blurs)
        if bool(blurs) != (truth != "sharp"):
            print(f"{name} {pixels.shape[1]} x {pixels.shape[0]}: {truth}, called {' and '.join(blurs) or 'sharp'}")
    if not kinds:
        parser.error(f"no photograph in {options.photos} says by its name, like 12_F.jpg, what it shows")
    print(f"\n{'photographs':14s} {'n':>4s} {'called out of focus':>20s} {'called moved':>13s}")
    for truth in SHOWN.values():
        print(f"{truth:14s} {kinds[truth]:4d} {said[truth, 'defocus']:20d} {said[truth, 'motion_blur']:13d}")


if __name__ == "__main__":
    main()
