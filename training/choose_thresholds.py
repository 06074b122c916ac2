"""Choose the score from which each flaw is reported (`operating_points.json`).

    python training/choose_thresholds.py --photos DIR [--photos MORE] [--half tune] [--per-flaw 40] [--clean 240]

Use photographs that no fit has read. Each flaw is planted by its recipe and freely (`plant_freely.py`). For each flaw
the score with the best F1 is chosen, less a price for each false alarm on a clean photograph; the price is the lowest
at which all flaws together raise at most `--alarms` of them a photograph. Without --write it only prints.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

import photo_inspector.scoring
from photo_inspector.catalogue import MEASURES
from photo_inspector.pixels.frame import build_frame
from photo_inspector.scoring.features import of_whole
from photo_inspector.scoring.judge_places import read_places
from photo_inspector.scoring.judge_whole import read_whole
from photo_inspector.scoring.measured import measure_places, measure_whole
from photo_inspector.scoring.operating_points import FILE
from photo_inspector.whole_image.jpeg_quality import saved_quality
from photos import half_of, own_flaws
from plant_freely import FREELY
from recipes import IMPLIES, PLANTS
from review_copilot.domain.guideline import Severity
from review_copilot.library import load_guideline

CLEAN = "clean"
GRID = np.array([*np.arange(0.04, 0.2, 0.02), *np.arange(0.2, 0.66, 0.05)])
"""Scores to choose from; less than the first is noise."""
SAME_F1 = 0.01
"""F1 that makes no difference: of such scores the lowest is taken."""
PRICES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
SOFT = {"motion_blur", "upscaling", "low_resolution", "defocus"}


@dataclass(frozen=True, slots=True)
class Told:
    """What the inspector thinks of one picture.

    Attributes:
        photo: Name of the photograph.
        flaw: What was planted; "clean" for nothing.
        way: "recipe" or "free".
        best: The highest score of each flaw, likely or not; "soft_patch" for defocus of a part.
    """

    photo: str
    flaw: str
    way: str
    best: dict[str, float]


def told(task: tuple[Path, str, str, int]) -> Told | None:
    """Plant and read every score."""
    cv2.setNumThreads(1)
    path, flaw, way, turn = task
    read = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if read is None:
        return None
    pixels = np.ascontiguousarray(np.asarray(read, np.uint8)[:, :, ::-1])
    rng = np.random.default_rng(zlib.crc32(f"threshold {path.name} {flaw} {way} {turn}".encode()))
    data = path.read_bytes() if flaw == CLEAN else b""
    if flaw != CLEAN:
        planted = FREELY[flaw](pixels, rng) if way == "free" else PLANTS[flaw](pixels, rng, list(Severity)[turn % 3])
        pixels, data = planted.pixels, planted.file
    frame = build_frame(pixels)
    whole = measure_whole(frame)
    readings = read_whole(whole, saved_quality=saved_quality(data) if data else None)
    readings += read_places(
        measure_places(frame, wanted=frozenset(m.name for m in MEASURES)), whole=of_whole(whole), soft_px=1.0
    )
    best: dict[str, float] = {}
    for reading in readings:
        name = "soft_patch" if reading.measure == "defocus" and reading.box is not None else reading.measure
        best[name] = max(best.get(name, 0.0), reading.score)
    return Told(path.name, flaw, way, best)


def tasks(paths: Sequence[Path], *, per_flaw: int, clean: int) -> list[tuple[Path, str, str, int]]:
    """Clean photographs, and each flaw in `per_flaw` others by its recipe and freely."""
    order = np.random.default_rng(5)
    out = [(paths[i], CLEAN, "", 0) for i in order.permutation(len(paths))[:clean]]
    for way, flaws in (("recipe", tuple(PLANTS)), ("free", tuple(FREELY))):
        for flaw in flaws:
            chosen = order.permutation(len(paths))
            out += [(paths[chosen[turn % len(paths)]], flaw, way, turn) for turn in range(per_flaw)]
    return out


def scores_of(name: str, seen: Sequence[Told]) -> tuple[npt.NDArray[np.float64], ...]:
    """Scores of one flaw where it was planted, elsewhere, and on clean photographs."""
    criteria = load_guideline("photo-quality").criteria
    flaw = {"soft_patch": "defocus_patch"}.get(name, name)
    own = name.replace("soft_patch", "defocus")
    covered = next((set(c.measures) for c in criteria if own in c.measures), {own})
    hits, others, clean = [], [], []
    for one in seen:
        score = one.best.get(name, 0.0)
        implied = IMPLIES.get(one.flaw, frozenset()) | own_flaws(one.photo) | {one.flaw.removesuffix("_patch")}
        if one.flaw == flaw:
            hits.append(score)
        elif covered.isdisjoint(implied) and not (name == "soft_patch" and one.flaw in SOFT):
            others.append(score)
            if one.flaw == CLEAN:
                clean.append(score)
    return np.array(hits), np.array(others), np.array(clean)


def chosen(name: str, seen: Sequence[Told], *, price: float) -> tuple[float, float, float, float, float]:
    """The score to report from, its F1, precision and recall, and its alarms a clean photograph."""
    hits, others, clean = scores_of(name, seen)
    rows = []
    for least in GRID:
        found, wrong = (hits >= least).sum(), (others >= least).sum()
        f1 = 2 * found / max(1, found + wrong + len(hits))
        rows.append((f1, found / max(1, found + wrong), found / max(1, len(hits)), float((clean >= least).mean())))
    worth = np.array([f1 - price * alarms for f1, _, _, alarms in rows])
    place = int(np.flatnonzero(worth >= worth.max() - SAME_F1)[0])
    return (round(float(GRID[place]), 2), *rows[place])


def main() -> None:
    """Plant, read, choose, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, action="append", required=True)
    parser.add_argument("--half", choices=("tune", "report", "all"), default="tune")
    parser.add_argument("--per-flaw", type=int, default=40)
    parser.add_argument("--clean", type=int, default=240)
    parser.add_argument("--alarms", type=float, default=0.25, help="false alarms a clean photograph, at most")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found = [p for folder in options.photos for p in sorted(folder.rglob("*")) if p.suffix.lower() in {".jpg", ".png"}]
    paths = [p for p in found if options.half in ("all", half_of(p.name))]
    jobs = tasks(paths, per_flaw=options.per_flaw, clean=options.clean)
    with ProcessPoolExecutor(options.workers) as pool:
        seen = [one for one in pool.map(told, jobs, chunksize=8) if one is not None]
    names = [*(m.name for m in MEASURES), "soft_patch"]
    for price in PRICES:
        rows = {name: chosen(name, seen, price=price) for name in names}
        if sum(row[4] for row in rows.values()) <= options.alarms:
            break
    print(f"{len(paths)} photographs, {len(seen)} pictures; price of an alarm {price}")
    print(f"{'flaw':20s} {'least':>6s} {'F1':>5s} {'prec':>5s} {'rec':>5s} {'alarms':>7s}")
    for name, (least, f1, precision, recall, alarms) in sorted(rows.items()):
        print(f"{name:20s} {least:6.2f} {f1:5.2f} {precision:5.2f} {recall:5.2f} {alarms:7.3f}")
    mean = np.mean([row[1] for row in rows.values()])
    print(f"mean F1 {mean:.3f}, alarms a clean photograph {sum(row[4] for row in rows.values()):.3f}")
    if options.write:
        out = Path(str(photo_inspector.scoring.__file__)).with_name(FILE)
        text = json.dumps({name: row[0] for name, row in sorted(rows.items())}, indent=2)
        out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
