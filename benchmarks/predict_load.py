"""How fast `/predict` answers when the model is slow: n tasks beside the loop that one would write first.

The model is `fake_model.py` (400 ms an answer, other process), the pictures are 12-megapixel JPEGs that it also serves.
Each figure is of a process of its own, so that peak memory means something. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import math
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import requests
from PIL import Image

from review_copilot.bootstrap.backend import build_backend
from review_copilot.bootstrap.process import open_process
from review_copilot.images.decode import open_image
from review_copilot.inspectors.profiles import profile_for, read_profiles
from review_copilot.inspectors.views import whole_view
from review_copilot.labelstudio.label_config import generate
from review_copilot.library import load_guideline, prompt_source
from review_copilot.settings import load_settings
from review_copilot.web import create_app

LATENCY_S = 0.4
CORES = 2
CONCURRENCY = 4
NAIVE_SIDE = 1024
"""Longer side that the naive loop sends, the same as the inspector's."""
HERE = Path(__file__).parent


def a_photograph() -> bytes:
    """Twelve megapixels of soft shapes with grain, as a camera's JPEG: about 4 MB."""
    rng = np.random.default_rng(7)
    small = rng.uniform(40, 215, (30, 40, 3)).astype(np.float32)
    smooth = cv2.resize(small, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    grain = cv2.resize(rng.normal(0, 2, (1500, 2000, 1)).astype(np.float32), (4000, 3000))
    pixels = np.clip(smooth + grain[..., None] + rng.normal(0, 2, smooth.shape), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@contextmanager
def fake_model(picture: Path, *, refuse: float = 0.0) -> Iterator[str]:
    """The endpoint's address."""
    command = [sys.executable, str(HERE / "fake_model.py"), "--picture", str(picture), "--refuse", str(refuse)]
    with subprocess.Popen([*command, "--latency-s", str(LATENCY_S)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def ours(url: str, *, images: list[str], folder: Path, close_ups: int = 0) -> dict[str, Any]:
    """One `/predict` with all tasks, over the real application; with so many full-size parts beside each whole."""
    settings = load_settings(
        _env_file=None, database_url=f"sqlite:///{folder}/log.db", password="bench", allowed_hosts=("127.0.0.1",),
        inspector="openai", model="m", model_base_url=f"{url}/v1", model_cache=None, label_studio_url=url,
        concurrency=CONCURRENCY, model_close_ups=close_ups,
    )  # fmt: skip
    parts = build_backend(open_process(settings))
    app = create_app(parts).test_client()
    config = generate(load_guideline("photo-quality"))
    body = {"project": "1.1", "label_config": config, "params": {}}
    warm = {**body, "tasks": [{"id": 10**6, "data": {"image": f"{url}/picture-warm-16383.jpg"}}]}
    app.post("/predict", json=warm, auth=("copilot", "bench"))  # the probe, imports and connections
    requests.get(f"{url}/counts", timeout=10)
    began, cpu = time.perf_counter(), time.process_time()
    tasks = [{"id": n, "data": {"image": image}} for n, image in enumerate(images, start=1)]
    results = app.post("/predict", json={**body, "tasks": tasks}, auth=("copilot", "bench")).get_json()["results"]
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    parts.pool.close()
    parts.process.close()
    return {"wall_s": wall_s, "cpu_s": cpu_s, "answered": sum(bool(result) for result in results)}


def naive(url: str, *, images: list[str], folder: Path) -> dict[str, Any]:
    """One task after the other: fetch, decode, shrink, encode, ask."""
    del folder
    began, cpu, answered = time.perf_counter(), time.process_time(), 0
    for image in images:
        address = naive_data_url(requests.get(image, timeout=30).content)
        parts = [{"type": "image_url", "image_url": {"url": address}}]
        body = {"model": "m", "messages": [{"role": "user", "content": parts}]}
        answered += requests.post(f"{url}/v1/chat/completions", json=body, timeout=60).ok
    return {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu, "answered": answered}


def naive_data_url(file: bytes) -> str:
    """Decode at full size, shrink with Lanczos, encode."""
    picture = Image.open(io.BytesIO(file)).convert("RGB")
    picture.thumbnail((NAIVE_SIDE, NAIVE_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def preparation(file: bytes, *, rounds: int = 7) -> float:
    """Seconds of ours over seconds of naive Pillow, from a file's bytes to the data URL that is sent; medians."""
    grid = profile_for("m", read_profiles(prompt_source("profiles.yaml"))).grid

    def our_way() -> object:
        return whole_view(open_image(file, source="bench", max_pixels=10**9), grid).data_url

    return median_s(our_way, rounds) / median_s(lambda: naive_data_url(file), rounds)


def a_png(file: bytes) -> bytes:
    """The same picture as a PNG."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(file)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def median_s(work: Any, rounds: int) -> float:
    """Median wall time."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return float(np.median(times))


def measured(way: str, n: int, *, picture: Path, refuse: float = 0.0, broken: int = 0) -> dict[str, Any]:
    """One run in a process of its own."""
    with fake_model(picture, refuse=refuse) as url:
        command = [sys.executable, __file__, "--child", way, "--n", str(n), "--url", url, "--broken", str(broken)]
        out = subprocess.run(command, check=True, capture_output=True, text=True)
        found: dict[str, Any] = json.loads(re.findall(r"^\{.*\}$", out.stdout, re.MULTILINE)[-1])
        counts: dict[str, Any] = requests.get(f"{url}/counts", timeout=10).json()
        return found | counts


def child(options: argparse.Namespace) -> None:
    """Be measured."""
    good = [f"{options.url}/picture-{n}.jpg" for n in range(options.n - options.broken)]
    images = [*good, *(f"{options.url}/picture-broken-{n}.jpg" for n in range(options.broken))]
    with tempfile.TemporaryDirectory() as folder:
        close = partial(ours, close_ups=6)
        ways: dict[str, Callable[..., dict[str, Any]]] = {"ours": ours, "close-ups": close, "naive": naive}
        found = ways[options.child](options.url, images=images, folder=Path(folder))
    print(json.dumps(found | {"peak_mib": peak_mib()}))


def peak_mib() -> float:
    """Most memory that this process ever held; `ru_maxrss` would count the parent's before the start."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024


HEADER = """| way | tasks | answered | wall s | goal s | most at once | peak MiB | sent / files |
|---|---|---|---|---|---|---|---|"""


def report(numbers: list[int]) -> None:
    """Measure everything and print it."""
    file = a_photograph()
    size = len(file)
    print(f"4000 x 3000 JPEG, {size / 1e6:.1f} MB; {LATENCY_S * 1000:.0f} ms an answer, {CONCURRENCY} at once")
    print(f"on {CORES} cores\n\n{HEADER}")
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "photograph.jpg"
        picture.write_bytes(file)
        for n in numbers:
            for way in ("naive", "ours"):
                line(way, n, measured(way, n, picture=picture), file_bytes=size)
        with_parts = measured("close-ups", 10, picture=picture)
        line("ours, 6 close-ups, which need every pixel", 10, with_parts, file_bytes=size)
        for share in (0.1, 0.5):
            row = measured("ours", 100, picture=picture, refuse=share)
            line(f"ours, {share:.0%} of 429", 100, row, file_bytes=size)
        line("ours, one bad task", 100, measured("ours", 100, picture=picture, broken=1), file_bytes=size)
    for kind, encoded in (("JPEG", file), ("PNG", a_png(file))):
        print(f"\nPreparation, {kind}: {preparation(encoded):.2f} x naive Pillow", flush=True)


def line(way: str, n: int, row: dict[str, Any], *, file_bytes: int) -> None:
    """One row of the table. The goal: 1.25 x max(rounds of answers, preparation on all cores and one answer)."""
    goal_s = 1.25 * max(math.ceil(n / CONCURRENCY) * LATENCY_S, row["cpu_s"] / CORES + LATENCY_S)
    sent = row["bytes_in"] / (n * file_bytes)
    print(
        f"| {way} | {n} | {row['answered']} | {row['wall_s']:.2f} | {goal_s:.2f} | {row['most_at_once']} "
        f"| {row['peak_mib']:.0f} | {sent:.3f} |",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", choices=("ours", "close-ups", "naive"))
    parser.add_argument("--n", type=int, nargs="*", default=[1, 10, 100])
    parser.add_argument("--url", default="")
    parser.add_argument("--broken", type=int, default=0)
    given = parser.parse_args()
    if given.child:
        given.n = given.n[0]
        child(given)
    else:
        report(given.n)
