"""How fast regions are paired: 100 000 annotations of 5 drafted and 5 submitted boxes, beside one SciPy call for each.

Run: `python benchmarks/matching.py [--pairs N] [--json FILE]`. Both sides get the same boxes and must give the same
partners; the run fails when one differs. NumPy and SciPy use one core for this. "spread" boxes lie anywhere, as drafts
do; "crowded" ones lie so close that pairs compete in most images.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from review_copilot.compare.matching import MIN_IOU, Floats, Indices, assign
from review_copilot.domain.box_overlap import pairwise_iou

BOXES = 5
"""Boxes on each side."""


def made_up(pairs: int, *, seed: int, room: float) -> tuple[Floats, Floats]:
    """Drafted boxes, and submitted ones: most nudged, some far off, in another order.

    Args:
        pairs: How many images.
        seed: Of the random numbers.
        room: Side of the square that all left top corners lie in, 0..1.

    Returns:
        Corners, each of shape (pairs, 5, 4).
    """
    random = np.random.default_rng(seed)
    left_top = random.uniform(0.0, room, (pairs, BOXES, 2))
    size = random.uniform(0.05, 0.2, (pairs, BOXES, 2))
    drafted = np.concatenate([left_top, left_top + size], axis=2)
    submitted = drafted + random.normal(0.0, 0.01, drafted.shape)
    drawn_anew = random.random((pairs, BOXES)) < 0.2
    submitted[drawn_anew] = random.permutation(drafted.reshape(-1, 4))[: int(drawn_anew.sum())]
    order = random.random((pairs, BOXES)).argsort(axis=1)
    return drafted, np.take_along_axis(submitted, order[..., None], axis=1)


def batched(drafted: Floats, submitted: Floats) -> Indices:
    """The product's way."""
    iou = pairwise_iou(drafted, submitted)
    return assign(np.where(iou >= MIN_IOU, iou, 0.0))


def one_by_one(drafted: Floats, submitted: Floats) -> Indices:
    """The plain way: IoU and SciPy's exact assignment for each annotation."""
    partner = np.full(drafted.shape[:2], -1)
    for index in range(len(drafted)):
        iou = pairwise_iou(drafted[index], submitted[index])
        worth = np.where(iou >= MIN_IOU, iou, 0.0)
        rows, columns = linear_sum_assignment(worth, maximize=True)
        made = worth[rows, columns] > 0
        partner[index, rows[made]] = columns[made]
    return partner


def timed(
    match: Callable[[Floats, Floats], Indices], drafted: Floats, submitted: Floats, *, repeats: int
) -> tuple[float, Indices]:
    """Best of several runs in seconds, and the partners."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        partner = match(drafted, submitted)
        seconds.append(time.perf_counter() - began)
    return min(seconds), partner


def main() -> None:
    """Measure, check, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results = []
    for name, room in (("spread", 0.8), ("crowded", 0.1)):
        drafted, submitted = made_up(arguments.pairs, seed=arguments.seed, room=room)
        batched_s, ours = timed(batched, drafted, submitted, repeats=3)
        loop_s, exact = timed(one_by_one, drafted, submitted, repeats=1)
        differing = int((ours != exact).any(axis=1).sum())
        figures = {"batched_s": round(batched_s, 3), "scipy_loop_s": round(loop_s, 3), "differing": differing}
        results.append({"boxes": name, "pairs": arguments.pairs, **figures})
        print(json.dumps(results[-1]))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if any(result["differing"] for result in results):
        raise SystemExit("some annotations were paired in another way")


if __name__ == "__main__":
    main()
