"""How well defects of real circuit boards are found and named, by comparison with their defect-free templates.

Run: `python benchmarks/pcb.py --pcb DIR [--json FILE]`. DIR holds a `manifest.json` with pairs of pictures and their
boxes, as made from DeepPCB (Tang et al., 2019): `items`, each with `file`, `template` and `boxes` of `bbox`
[x, y, width, height] in px and `label`. A finding is a hit at IoU above 0.33, each box at most once, surest first; the
class of the hit is counted beside. Every second pair (even ones) served for tuning, the others are reported apart. Each
half is run as it is, and again moved, re-exposed, noisy, compressed, blurred, jagged, warped and resized, with a fixed
seed; boxes that such a move pushes over the picture's edge are left out of the count on both sides.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.reference import compare_with_reference
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.suggestion import Brief
from review_copilot.library import load_guideline

HIT_IOU = 0.33
"""The published criterion: "IoU larger than 0.33" with the same class (Tang et al., 2019, section 4)."""

MEASURE_OF = {
    "open": "pcb_open",
    "short": "pcb_short",
    "mousebite": "pcb_mousebite",
    "spur": "pcb_spur",
    "copper": "pcb_spurious_copper",
    "pin-hole": "pcb_pin_hole",
}

Labelled = tuple[Box, str]
"""A box and its measure."""


@dataclass(frozen=True)
class Pair:
    """One board with its template, RGB, and what is wrong with it."""

    name: str
    image: Pixels
    template: Pixels
    defects: tuple[Labelled, ...]


@dataclass
class GapCounts:
    """What was hit, missed and made up."""

    ious: list[float] = field(default_factory=list)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    scored: list[tuple[float, bool]] = field(default_factory=list)
    missed: int = 0
    false: int = 0

    def figures(self) -> dict[str, float]:
        """Precision, recall, mean IoU of the hits, share of hits with the right class, 0..1."""
        hits = len(self.ious)
        named = sum(count for (true, said), count in self.confusion.items() if true == said)
        return {
            "boxes": hits + self.missed,
            "precision": round(hits / max(1, hits + self.false), 3),
            "recall": round(hits / max(1, hits + self.missed), 3),
            "iou": round(float(np.mean(self.ious)), 3) if hits else 0.0,
            "class": round(named / max(1, hits), 3),
        }


def pairs_in(folder: Path) -> Iterator[Pair]:
    """The pairs that a manifest lists, in its order."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for item in manifest["items"]:
        image, template = (_read(folder / item[key]) for key in ("file", "template"))
        height, width = image.shape[:2]
        defects = tuple(
            (Box.from_pixels(*box["bbox"], image_width_px=width, image_height_px=height), MEASURE_OF[box["label"]])
            for box in item["boxes"]
        )
        yield Pair(item["file"], image, template, defects)


def _read(path: Path) -> Pixels:
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise SystemExit(f"{path} is not there or no picture")
    return np.ascontiguousarray(np.asarray(pixels, np.uint8)[:, :, ::-1])


def moved(pair: Pair, random: np.random.Generator) -> Pair:
    """Turned by up to 2 degrees, scaled by up to 3 %, shifted by up to 12 px."""
    height, width = pair.image.shape[:2]
    turn_deg, scale = random.uniform(-2, 2), random.uniform(0.97, 1.03)
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, scale), np.float64)
    matrix[:, 2] += random.uniform(-12, 12, 2)
    image = cv2.warpAffine(pair.image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    defects = []
    for box, measure in pair.defects:
        x, y, w, h = box.to_pixels(image_width_px=width, image_height_px=height)
        corners = np.asarray([(x, y, 1), (x + w, y, 1), (x, y + h, 1), (x + w, y + h, 1)]) @ matrix.T
        (x1, y1), (x2, y2) = corners.min(axis=0), corners.max(axis=0)
        defects.append((Box.from_corners(x1 / width, y1 / height, x2 / width, y2 / height), measure))
    inside = tuple(one for one in defects if one[0].clipped() == one[0])
    return Pair(pair.name, np.asarray(image, np.uint8), pair.template, inside)


def _seen(change: Callable[[npt.NDArray[np.float64], np.random.Generator], npt.NDArray[np.float64]]) -> Change:
    """A change of levels that leaves every defect in its place."""

    def apply(pair: Pair, random: np.random.Generator) -> Pair:
        image = np.asarray(np.clip(change(pair.image.astype(np.float64), random), 0, 255), np.uint8)
        return Pair(pair.name, image, pair.template, pair.defects)

    return apply


def compressed(pair: Pair, random: np.random.Generator) -> Pair:
    """JPEG at a quality of 10 to 30."""
    quality = int(random.integers(10, 31))
    _, data = cv2.imencode(".jpg", pair.image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return Pair(pair.name, image, pair.template, pair.defects)


def _resized(factor: float) -> Change:
    def apply(pair: Pair, random: np.random.Generator) -> Pair:  # noqa: ARG001 - the shape of all changes
        image = cv2.resize(pair.image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        return Pair(pair.name, np.asarray(image, np.uint8), pair.template, pair.defects)

    return apply


def jagged(pair: Pair, random: np.random.Generator) -> Pair:
    """Edges that are frayed by 1 to 3 px, more in some places, as a coarse film or a worn tool leaves them."""
    shape = pair.image.shape[:2]
    reach = 0.4 + 1.0 * cv2.GaussianBlur(random.uniform(0, 1, shape), (0, 0), 40)
    away = [cv2.GaussianBlur(random.normal(0, 1, shape).astype(np.float32), (0, 0), 1.5) for _ in range(2)]
    return _bent(pair, *(reach * one / one.std() * 0.7 for one in away))


def warped(pair: Pair, random: np.random.Generator) -> Pair:
    """Places that lie up to 4 px off their neighbors', as stitched scans do."""
    shape = pair.image.shape[:2]
    away = [cv2.GaussianBlur(random.normal(0, 1, shape).astype(np.float32), (0, 0), 18) for _ in range(2)]
    return _bent(pair, *(4.0 * one / np.abs(one).max() for one in away))


def _bent(pair: Pair, across: npt.NDArray[np.float64], down: npt.NDArray[np.float64]) -> Pair:
    """The image with every pixel taken from a place that far away; defects stay about where they are."""
    rows, columns = np.mgrid[: pair.image.shape[0], : pair.image.shape[1]].astype(np.float32)
    places = (columns + across.astype(np.float32), rows + down.astype(np.float32))
    image = cv2.remap(pair.image, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Pair(pair.name, np.asarray(image, np.uint8), pair.template, pair.defects)


Change = Callable[[Pair, np.random.Generator], Pair]

CHANGES: dict[str, Change] = {
    "as it is": lambda pair, _: pair,
    "moved": moved,
    "dark": _seen(lambda pixels, random: pixels * random.uniform(0.4, 0.6) + 20),
    "noisy": _seen(lambda pixels, random: pixels * 0.8 + 25 + random.normal(0, 20, pixels.shape[:2])[..., None]),
    "JPEG": compressed,
    "blurred": _seen(lambda pixels, _: np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.2), np.float64)),
    "jagged": jagged,
    "warped": warped,
    "x 0.75": _resized(0.75),
    "x 1.6": _resized(1.6),
}


def judged(pairs: Sequence[Pair], change: Change, *, seed: int) -> GapCounts:
    """Compare every pair after the change and count."""
    guideline, gap_counts = load_guideline("pcb"), GapCounts()
    measure_of = {criterion.id: criterion.measures[0] for criterion in guideline.criteria}
    for number, original in enumerate(pairs):
        pair = change(original, np.random.default_rng((seed, number)))
        brief = Brief(image=_as_image(pair.image), guideline=guideline, reference=_as_image(pair.template))
        left = list(pair.defects)
        lost = len(original.defects) - len(left)
        for found in compare_with_reference(brief).findings:
            box = found.box or Box.whole()
            best = max(left, key=lambda one: one[0].iou(box), default=None)
            hit = best is not None and best[0].iou(box) > HIT_IOU
            if best is not None and hit:
                left.remove(best)
                said = measure_of.get(found.criterion_id, found.criterion_id)
                gap_counts.ious.append(best[0].iou(box))
                gap_counts.confusion[best[1], said] += 1
                gap_counts.scored.append((found.score, best[1] == said))
            elif lost and _at_edge(box):
                lost -= 1
            else:
                gap_counts.false += 1
                gap_counts.scored.append((found.score, False))
        gap_counts.missed += len(left)
    return gap_counts


def _at_edge(box: Box) -> bool:
    return min(box.x, box.y) < 0.02 or max(box.right, box.bottom) > 0.98


def _as_image(pixels: Pixels) -> ReviewImage:
    def decode(longest_px: int | None) -> Pixels:
        factor = min(1.0, (longest_px or max(pixels.shape)) / max(pixels.shape))
        return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)

    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    return ReviewImage("board", b"", digest, "PNG", pixels.shape[1], pixels.shape[0], decode)


def reliability(scored: Sequence[tuple[float, bool]]) -> Iterator[tuple[str, int, float, float]]:
    """For each range of scores: its name, how many, their mean score, the share that is right (place and class)."""
    edges = (0.0, 0.6, 0.8, 0.95, 1.01)
    for low, high in itertools.pairwise(edges):
        chosen = [one for one in scored if low <= one[0] < high]
        if chosen:
            said, right = (float(np.mean([one[k] for one in chosen])) for k in (0, 1))
            yield f"{low:.2f} to {min(high, 1):.2f}", len(chosen), said, right


def main() -> None:
    """Judge both halves under every change, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pcb", type=Path, required=True, help="folder with a manifest.json")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    pairs = list(pairs_in(arguments.pcb))
    results: list[dict[str, object]] = []
    scored: list[tuple[float, bool]] = []
    confusion: Counter[tuple[str, str]] = Counter()
    for half, chosen in (("tuning", pairs[::2]), ("reporting", pairs[1::2])):
        for name, change in CHANGES.items():
            gap_counts = judged(chosen, change, seed=arguments.seed)
            results.append({"half": half, "boards": len(chosen), "change": name, **gap_counts.figures()})
            print(json.dumps(results[-1]), flush=True)
            if half == "reporting":
                scored += gap_counts.scored
                confusion += gap_counts.confusion
    print("Reporting half, all changes. True class, said class, hits:")
    for (true, said), count in sorted(confusion.items()):
        print(f"  {true:20} {said:20} {count}")
    print("Score, findings, mean score, share right in place and class:")
    for span, count, mean, right in reliability(scored):
        print(f"  {span}  {count:4}  {mean:.2f}  {right:.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
