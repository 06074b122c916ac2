"""How much faster a local model answers several images together than one by one, on whatever device there is.

    python benchmarks/local_batches.py --model FOLDER_OR_NAME [--device auto] [--images 16] [--batch 8]

Needs the extra `[local]`. Every question is the same size, so that the figure is the batching's alone.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from review_copilot.inspectors.chat import Question
from review_copilot.inspectors.local_transformers import LocalChat, LocalModel
from review_copilot.inspectors.second_look import look_schema
from review_copilot.inspectors.views import View


def questions(count: int) -> list[Question]:
    """Small questions about different pictures."""
    rng = np.random.default_rng(1)
    views = [View(rng.integers(0, 255, (224, 224, 3)).astype(np.uint8)) for _ in range(count)]
    return [
        Question("You check pictures.", "Is anything wrong?", (view,), "look", look_schema(), 400, 600.0)
        for view in views
    ]


def images_a_second(chat: LocalChat, asked: list[Question], *, threads: int) -> float:
    """Questions answered in a second by that many threads."""
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(chat.ask, asked))
    return len(answers) / (time.perf_counter() - began)


def main() -> int:
    """Print images a second, one by one and in batches."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--batch", type=int, default=8)
    wanted = parser.parse_args()
    asked = questions(wanted.images)
    figures = {}
    for size in (1, wanted.batch):
        chat = LocalChat(LocalModel(wanted.model, device=wanted.device, dtype=wanted.dtype, batch_size=size))
        chat.ask(asked[0])
        figures[size] = images_a_second(chat, asked, threads=size)
    alone, together = figures[1], figures[wanted.batch]
    print(f"{wanted.model} on {wanted.device}")
    print(f"{alone:.2f} images/s one by one, {together:.2f} in batches of {wanted.batch}: {together / alone:.1f} times")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
