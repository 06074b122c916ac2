"""A tiny model on disk and a real `transformers serve` over it. Fails, not skips, without the extra `[local]`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

try:
    from tiny_model import a_review_of, build_tiny_model
except ImportError as error:
    raise pytest.UsageError(
        'These tests need the extra [local]: pip install -e ".[local]" --group test-local'
    ) from error


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose random weights say anything that its grammar allows."""
    return build_tiny_model(tmp_path_factory.mktemp("random-model"))


@pytest.fixture(scope="session")
def scripted_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers everything with one good review."""
    return build_tiny_model(tmp_path_factory.mktemp("scripted-model"), says=a_review_of("C-01"))


@pytest.fixture(scope="session")
def served_model(scripted_model: Path) -> Iterator[str]:
    """The base URL of a real `transformers serve` over the scripted model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("transformers")
    command = [
        str(program),
        "serve",
        str(scripted_model),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--device",
        "cpu",
    ]
    log = scripted_model / "serve.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "HF_HUB_OFFLINE": "1"}
        )
    try:
        _wait(f"http://127.0.0.1:{port}/health", server=server, log=log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait(url: str, *, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            if server.poll() is not None:
                break
            time.sleep(0.5)
    raise RuntimeError(f"transformers serve did not start:\n{log.read_text(errors='replace')[-2000:]}")
