"""Webhooks a second and their 99th percentile on one worker, beside a plain Flask-and-SQLite row writer.

Run: `python benchmarks/webhooks.py [--seconds 10] [--rate 200] [--json FILE]`. Both servers run behind gunicorn with
one worker of 16 threads, on SQLite in WAL mode with a sync for each row. First events come at a steady rate, each timed
from the moment at which it was due, so that a server that stalls cannot hide it; then 8 clients send as fast as they
can. The load comes from this machine too, which takes a good part of it.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from flask import Flask, Response, jsonify, request

from review_copilot.demo.backend_process import running_backend
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.library import load_guideline

SECRET = "knock knock"  # noqa: S105  # made up
CLIENTS = 8
PLAIN_DATABASE = "PLAIN_DATABASE"


def plain_app() -> Flask:
    """The least that keeps an event: one row, one commit. No secret, no reading of the body."""
    app = Flask(__name__)
    local = threading.local()

    @app.post("/webhook")
    def webhook() -> Response:
        if not hasattr(local, "connection"):
            local.connection = sqlite3.connect(os.environ[PLAIN_DATABASE], timeout=15)
            local.connection.execute("PRAGMA journal_mode=WAL")
            local.connection.execute("PRAGMA synchronous=FULL")
            local.connection.execute("CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, body TEXT)")
        with local.connection:
            local.connection.execute("INSERT INTO events (body) VALUES (?)", (request.get_data(as_text=True),))
        return jsonify(status="ok")

    return app


@contextlib.contextmanager
def plain_server(folder: Path) -> Iterator[str]:
    """The plain writer behind gunicorn; its URL."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "16",
               "--worker-class", "gthread", "--log-level", "error", "webhooks:plain_app()"]  # fmt: skip
    environment = os.environ | {PLAIN_DATABASE: str(folder / "plain.db")}
    process = subprocess.Popen(command, cwd=Path(__file__).parent, env=environment)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def event(number: int, *, label_config: str) -> bytes:
    """A body as Label Studio sends it after a submission with five boxes."""
    regions = [
        {"id": f"{number}-{n}", "from_name": "label", "to_name": "image", "type": "rectanglelabels",
         "original_width": 1000, "original_height": 800,
         "value": {"x": 10 * n, "y": 20, "width": 8, "height": 9, "rotation": 0, "rectanglelabels": ["Out of focus"]}}
        for n in range(5)
    ]  # fmt: skip
    at = "2026-03-02T12:00:00Z"
    annotation = {"id": number, "task": number, "result": regions, "updated_at": at, "created_at": at, "lead_time": 9.5}
    project = {"id": 7, "created_at": at, "label_config": label_config}
    body = {"action": "ANNOTATION_CREATED", "annotation": annotation, "task": {"id": number}, "project": project}
    return json.dumps(body).encode()


class Sender:
    """One client with one kept-alive connection."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._connection = http.client.HTTPConnection(self._host, timeout=30)

    def send(self, body: bytes) -> None:
        """Send one event and wait for its answer."""
        headers = {SECRET_HEADER: SECRET, "Content-Type": "application/json"}
        try:
            self._connection.request("POST", "/webhook", body, headers)
            answer = self._connection.getresponse()
        except (http.client.HTTPException, ConnectionError):  # an idle connection that the server closed
            self._connection = http.client.HTTPConnection(self._host, timeout=30)
            self._connection.request("POST", "/webhook", body, headers)
            answer = self._connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status


def at_a_rate(url: str, bodies: list[bytes], *, rate: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Milliseconds from the moment each event was due to its answer."""
    begin = time.perf_counter() + 0.5
    taken = np.zeros(len(bodies))

    def client(first: int) -> None:
        sender = Sender(url)
        for index in range(first, len(bodies), CLIENTS):
            due = begin + index / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            sender.send(bodies[index])
            taken[index] = 1000 * (time.perf_counter() - due)

    _together(client)
    return taken


def flat_out(url: str, bodies: list[bytes]) -> float:
    """Events a second when clients send as fast as they can."""

    def client(first: int) -> None:
        sender = Sender(url)
        for index in range(first, len(bodies), CLIENTS):
            sender.send(bodies[index])

    began = time.perf_counter()
    _together(client)
    return len(bodies) / (time.perf_counter() - began)


def _together(client: object) -> None:
    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def measure(name: str, url: str, *, rate: float, seconds: float, label_config: str) -> dict[str, float]:
    """Warm up, then both loads."""
    count = int(rate * seconds)
    flat_out(url, [event(n, label_config=label_config) for n in range(1, 101)])
    bodies = [event(n, label_config=label_config) for n in range(1000, 1000 + count)]
    taken = at_a_rate(url, bodies, rate=rate)
    most = flat_out(url, [event(n, label_config=label_config) for n in range(500_000, 500_000 + count)])
    median, p99 = (float(np.percentile(taken, q)) for q in (50, 99))
    print(f"{name:34} {rate:.0f}/s: median {median:5.1f} ms, p99 {p99:6.1f} ms; flat out {most:6.0f}/s", flush=True)
    return {"median_ms": round(median, 2), "p99_ms": round(p99, 2), "flat_out_per_s": round(most, 1)}


def main() -> None:
    """Measure the plain writer, then the backend with and without a token."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    load = {"rate": options.rate, "seconds": options.seconds}
    config = generate(load_guideline("photo-quality"))
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with plain_server(folder) as url:
            figures["plain"] = measure("plain Flask and SQLite", url, **load, label_config=config)
        for kind, token in (("with_token", "0" * 40), ("without_token", "")):
            environment = {
                "REVIEW_COPILOT_LABEL_STUDIO_URL": "http://127.0.0.1:9",
                "REVIEW_COPILOT_LABEL_STUDIO_TOKEN": token,
                "REVIEW_COPILOT_DATABASE_URL": f"sqlite:///{folder}/{kind}.db",
                "REVIEW_COPILOT_ALLOW_ANONYMOUS": "true",
                "REVIEW_COPILOT_WEBHOOK_SECRET": SECRET,
            }
            with running_backend(environment=environment, port=free_port(), folder=folder / kind) as backend:
                title = f"review-copilot, {kind.replace('_', ' ')}"
                figures[kind] = measure(title, backend.url, **load, label_config=config)
    for kind in ("with_token", "without_token"):
        ratio = figures[kind]["flat_out_per_s"] / figures["plain"]["flat_out_per_s"]
        figures[kind]["ratio_to_plain"] = round(ratio, 3)
        slower = figures[kind]["p99_ms"] / figures["plain"]["p99_ms"]
        figures[kind]["p99_ratio_to_plain"] = round(slower, 3)
        print(f"{kind.replace('_', ' ')}: {ratio:.2f} of the plain writer's events a second, {slower:.2f} of its p99")
    if options.json:
        options.json.write_text(json.dumps({"rate": options.rate, **figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
