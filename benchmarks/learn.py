"""Learn what ordinary photographs look like: the small networks of the built-in inspector.

python benchmarks/learn.py --also DIR [--also DIR ...] [--rest-of DIR ...] [--rounds N] [--out FOLDER]

Each photograph is tinted, exposed and turned many times by known amounts (see networks.py; torch is needed). Folders
under --also are for learning only and read as a whole. Of those under --rest-of the half is read that calibrate.py does
not read: the trees must weigh what was learned on photographs that it was not learned on. The folder that accuracy.py
reports on must be under neither.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from networks import LEAN_PX, TINT_PX, learn_lean, learn_light, learn_tint
from photos import ordinary_photographs
from review_copilot.domain.image import Pixels
from review_copilot.inspectors.classical import network
from review_copilot.inspectors.classical.frame import shrunk
from review_copilot.inspectors.classical.network import SEEN_PX

_GREYEST = 2.0
"""Spread of a*b* under which a photograph is black and white and teaches nothing of tints."""


def photographs_of(also: Sequence[Path], rest_of: Sequence[Path]) -> Iterator[tuple[str, Pixels]]:
    """All of the first folders, the half of the second that calibrate.py does not read."""
    for folder in also:
        yield from ordinary_photographs(folder, "all")
    for folder in rest_of:
        yield from ordinary_photographs(folder, "report")


def learn_networks(photos: Sequence[tuple[str, Pixels]], out: Path, *, rounds: int, workers: int) -> None:
    """Learn the networks side by side and write them."""
    small = [shrunk(pixels, longer_px=448) for _, pixels in photos]
    colourful = [p for p in small if float(_lab(p)[..., 1:].std()) >= _GREYEST]
    with ProcessPoolExecutor(min(workers, 3), mp_context=get_context("spawn")) as pool:
        lean = pool.submit(learn_lean, [shrunk(p, longer_px=LEAN_PX) for p in small], rounds=rounds // 2)
        tint = pool.submit(learn_tint, [shrunk(p, longer_px=TINT_PX) for p in colourful], rounds=rounds)
        light = pool.submit(learn_light, [shrunk(p, longer_px=TINT_PX) for p in small], rounds=rounds)
        arrays = {
            f"{kind}_{name}": array.astype(np.float16)
            for kind, job in (("tint", tint), ("light", light), ("lean", lean))
            for name, array in job.result().items()
        }
    np.savez_compressed(out, allow_pickle=False, **arrays)
    print(f"{len(small)} photographs, {len(colourful)} of them in colour; networks written to {out.name}", flush=True)


def _lab(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(shrunk(pixels, longer_px=SEEN_PX), cv2.COLOR_RGB2LAB), np.uint8)


def main() -> None:
    """Read, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--also", type=Path, action="append", required=True)
    parser.add_argument("--rest-of", type=Path, action="append", default=[])
    parser.add_argument(
        "--rounds", type=int, default=220, help="how often a network sees each photograph, half as often for lean"
    )
    parser.add_argument("--out", type=Path, default=Path(network.__file__).parent)
    parser.add_argument("--workers", type=int, default=3)
    options = parser.parse_args()
    photos = list(photographs_of(options.also, options.rest_of))
    learn_networks(photos, options.out / network.FILE, rounds=options.rounds, workers=options.workers)


if __name__ == "__main__":
    main()
