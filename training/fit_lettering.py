"""Fit which lettering was laid over a picture (`lettering.npz`).

    python training/fit_lettering.py --photos DIR [--photos MORE] [--pictures 900]

Lettering is planted in three of seven pictures, another flaw in two, nothing in two. A candidate is right that overlaps
planted lettering by half. Prints how well it is told on photographs held out.
"""

from __future__ import annotations

import argparse
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

import photo_inspector.scoring
from fit_places import MET, PARTLY
from photo_inspector.lettering.overlay import lettering
from photo_inspector.networks.traces import traces
from photo_inspector.pixels.frame import build_frame
from photo_inspector.scoring.features import of_lettering
from photo_inspector.scoring.judge_lettering import FILE, FLAW
from photos import half_of, ordinary_photographs
from plant_freely import FREELY
from planted import Planted
from recipes import PLANTS
from review_copilot.domain.guideline import Severity
from trees import Judge, Table, fit_trees, held_out, joined, platt, save

TURNS = ("overlay", "overlay freely", "", "overlay", "other", "other", "")
OTHERS = tuple(name for name in PLANTS if name not in {"overlay", "empty_frame"})


def rows_of(task: tuple[Path, int]) -> tuple[list[dict[str, float]], list[int], int, bool]:
    """Numbers of all candidates of one picture, which are right (1), wrong (0) or partly right (-1), its group."""
    cv2.setNumThreads(1)
    path, turn = task
    read = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if read is None:
        return [], [], 0, False
    pixels = np.ascontiguousarray(np.asarray(read, np.uint8)[:, :, ::-1])
    rng = np.random.default_rng(zlib.crc32(f"lettering {path.name} {turn}".encode()))
    what = TURNS[turn % len(TURNS)]
    severity = list(Severity)[int(rng.integers(3))]
    planted = Planted("", "", severity, pixels)
    if what == "overlay":
        planted = PLANTS["overlay"](pixels, rng, severity)
    elif what == "overlay freely":
        planted = FREELY["overlay"](pixels, rng)
    elif what == "other":
        planted = PLANTS[OTHERS[int(rng.integers(len(OTHERS)))]](pixels, rng, severity)
    frame = build_frame(planted.pixels)
    found = lettering(frame, traces(frame))
    true = planted.boxes if planted.flaw == FLAW else ()
    right = []
    for one in found:
        met = max((one.box.iou(box) for box in true), default=0.0)
        partly = any(one.box.intersection_area(box) > PARTLY * min(one.box.area, box.area) for box in true)
        right.append(1 if met >= MET else -1 if partly else 0)
    return [dict(of_lettering(one)) for one in found], right, zlib.crc32(path.name.encode()), bool(true)


def main() -> None:
    """Plant, measure, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, action="append", required=True, help="their tuning half is read")
    parser.add_argument("--pictures", type=int, default=900)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    paths = [p for folder in options.photos for p in sorted(folder.rglob("*")) if p.suffix.lower() in {".jpg", ".png"}]
    plain = {name for folder in options.photos for name, _ in ordinary_photographs(folder, "tune")}
    paths = [p for p in paths if half_of(p.name) == "tune" and p.name in plain]
    tasks = [(paths[turn % len(paths)], turn + turn // len(paths)) for turn in range(options.pictures)]
    with ProcessPoolExecutor(options.workers) as pool:
        seen = list(pool.map(rows_of, tasks, chunksize=8))
    numbers = tuple(next(rows[0] for rows, _, _, _ in seen if rows))
    values = np.array([[row[n] for n in numbers] for rows, _, _, _ in seen for row in rows], np.float32)
    right = np.array([r for _, rights, _, _ in seen for r in rights])
    group = np.array([g for rows, _, g, _ in seen for _ in rows], np.int64)
    table = Table(numbers, values, (right > 0).astype(np.float32), (right >= 0).astype(np.float32), group)
    odds = held_out(table)
    slope, bias = platt(odds, table.truth, table.weight)
    told = 1 / (1 + np.exp(-np.clip(slope * odds + bias, -30, 30)))
    print(f"{len(tasks)} pictures, {len(right)} candidates, {int((right > 0).sum())} right")
    report(told, right, seen)
    judge = Judge(numbers, fit_trees(table), slope, bias)
    folder = Path(str(photo_inspector.scoring.__file__)).parent
    save(joined({FLAW: judge}, least=np.zeros(1, np.float32)), folder / FILE)


def report(
    told: npt.NDArray[np.float64],
    right: npt.NDArray[np.int64],
    seen: list[tuple[list[dict[str, float]], list[int], int, bool]],
) -> None:
    """Print recall of pictures with lettering and alarms of the others, held out, by score."""
    borders = np.cumsum([len(rows) for rows, _, _, _ in seen])[:-1]
    parts = list(zip(np.split(told, borders), np.split(right, borders), [own for *_, own in seen], strict=True))
    for least in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5):
        found = [bool((t[r > 0] >= least).any()) for t, r, own in parts if own]
        alarms = [bool((t >= least).any()) for t, _, own in parts if not own]
        print(f"score {least:.2f}: found {np.mean(found):.2f}, alarms a picture without {np.mean(alarms):.3f}")


if __name__ == "__main__":
    main()
