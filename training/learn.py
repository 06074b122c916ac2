"""Learn what ordinary photographs look like at a glance: the network of `sight.py`.

python benchmarks/learn.py --also DIR [--also DIR ...] [--rest-of DIR ...] [--steps N] [--out FOLDER]

Each photograph is turned, exposed and tinted many times by known amounts (see views.py; sight_network.py says what this
needs). Folders under --also are for learning only and read as a whole. Of those under --rest-of the half is read that
calibrate.py does not read: the trees must weigh what was learned on photographs that it was not learned on. The folder
that accuracy.py reports on must be under neither.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from photo_inspector.networks import sight
from photo_inspector.pixels.frame import shrunk
from photos import ordinary_photographs
from review_copilot.domain.image import Pixels
from sight_network import learn
from views import KEPT_PX, batches_of


def photographs_of(also: Sequence[Path], rest_of: Sequence[Path]) -> Iterator[tuple[str, Pixels]]:
    """All of the first folders, the half of the second that calibrate.py does not read."""
    for folder in also:
        yield from ordinary_photographs(folder, "all")
    for folder in rest_of:
        yield from ordinary_photographs(folder, "report")


def main() -> None:
    """Read, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--also", type=Path, action="append", required=True)
    parser.add_argument("--rest-of", type=Path, action="append", default=[])
    parser.add_argument("--steps", type=int, default=5000, help="batches that are learned from")
    parser.add_argument("--out", type=Path, default=Path(sight.__file__).parent)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    photos = [shrunk(photo, longer_px=KEPT_PX) for _, photo in photographs_of(options.also, options.rest_of)]
    print(f"{len(photos)} photographs", flush=True)
    np.savez_compressed(options.out / sight.FILE, allow_pickle=False, **learn(batches_of(photos), steps=options.steps))


if __name__ == "__main__":
    main()
