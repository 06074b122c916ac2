"""How near a bulk run comes to what its endpoint allows, over 10 000 tasks, and whether its memory stays flat.

The endpoint is `fake_model.py`; Label Studio is a stand-in that keeps nothing but ids. Prints a Markdown table with
a row for each tenth of the run; the goal is 90 % of concurrency / latency over the whole run.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

import importable  # noqa: F401  # first: the folders that the next imports need
from fake_label_studio import FakeWorkspace
from predict_load import LATENCY_S, fake_model
from review_copilot.bootstrap.engines import thread_engine
from review_copilot.bootstrap.process import open_process
from review_copilot.domain.review import ProjectKey
from review_copilot.flows.preannotate import Progress, preannotate
from review_copilot.settings import load_settings

GOAL = 0.9
MOST_GROWTH_MIB = 40
"""What the stand-in's own ids and the bookkeeping of 10 000 tasks may take."""


def small_photograph() -> bytes:
    """A picture that costs next to nothing to prepare: the run waits for the endpoint, as real ones do.

    All its frequencies are there in color, so that each of the server's variants is another picture when it is sent.
    """
    pixels = np.random.default_rng(3).uniform(0, 255, (160, 240, 3)).astype(np.uint8)
    _, file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])
    return file.tobytes()


def resident_mib() -> float:
    """Memory of this process now."""
    return int(re.findall(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024


def main() -> int:
    """Run and print; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=16)
    wanted = parser.parse_args()
    allowed = wanted.concurrency / LATENCY_S
    print(f"{wanted.tasks} tasks, {wanted.concurrency} at once, {LATENCY_S * 1000:.0f} ms an answer: {allowed:.0f}/s")
    print("| tasks | drafts/s so far | of what is allowed | memory MiB |\n|---|---|---|---|")
    memory: list[float] = []

    def show(now: Progress) -> None:
        if now.drafted and now.drafted % (wanted.tasks // 10) == 0 and len(memory) < now.drafted * 10 // wanted.tasks:
            memory.append(resident_mib())
            print(f"| {now.drafted} | {now.per_s:.1f} | {now.per_s / allowed:.0%} | {memory[-1]:.0f} |", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "small.jpg"
        picture.write_bytes(small_photograph())
        with fake_model(picture) as url:
            settings = load_settings(
                _env_file=None, database_url=f"sqlite:///{folder}/log.db", inspector="openai", model="m",
                model_base_url=f"{url}/v1", label_studio_url=url, allowed_hosts=("127.0.0.1",), model_close_ups=0,
                model_cache=Path(folder) / "replies", concurrency=wanted.concurrency,
            )  # fmt: skip
            process = open_process(settings)
            images = {n: f"{url}/picture-{n}.jpg" for n in range(1, wanted.tasks + 1)}
            workspace = FakeWorkspace(ProjectKey("bench", 1, "1"), images)
            began = time.perf_counter()
            report = preannotate(
                workspace,
                engine=thread_engine(settings, process.setup_of()),
                store=process.store,
                rollout="bench r1 1",
                clock=process.clock,
                on_progress=show,
            )
            per_s = wanted.tasks / (time.perf_counter() - began)
            process.close()
    print(f"\nWith delivery and read-back: {per_s:.1f}/s, {per_s / allowed:.0%} of what is allowed")
    assert report.stored == report.drafted == wanted.tasks, report
    assert report.usage.calls >= wanted.tasks, "each picture is to be asked about"
    return 0 if per_s >= GOAL * allowed and memory[-1] - memory[0] <= MOST_GROWTH_MIB else 1


if __name__ == "__main__":
    raise SystemExit(main())
