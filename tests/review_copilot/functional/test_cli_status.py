"""`status` asks the running backend, and says what to do when there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends import PASSWORD, BackendProcess, backends
from command_line import typed
from web_server import Answer, serving


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackendProcess]:
    folder = tmp_path_factory.mktemp("backend")
    with backends(1, settings={"database_url": f"sqlite:///{folder}/log.db"}, folder=folder) as (backend,):
        yield backend


def test_status_shows_what_the_backend_is_and_how_much_waits(running: BackendProcess, tmp_path: Path) -> None:
    settings = {"REVIEW_COPILOT_PORT": str(running.port), "REVIEW_COPILOT_PASSWORD": PASSWORD}
    done = typed("status", cwd=tmp_path, **settings)
    assert done.returncode == 0, done.stderr
    said = {line.split()[1]: line for line in done.stdout.splitlines() if line.startswith("│")}
    assert "builtin" in said["inspector"]
    assert {"queue", "backlog", "inbox", "log"} <= said.keys()


def test_status_without_a_backend_says_what_to_check(tmp_path: Path) -> None:
    done = typed("status", cwd=tmp_path, REVIEW_COPILOT_PORT="1", REVIEW_COPILOT_PASSWORD=PASSWORD)
    assert done.returncode != 0
    assert "The backend at http://127.0.0.1:1 cannot be reached: nothing listens there." in done.stderr
    assert "review-copilot serve" in done.stderr


def test_status_with_another_password_names_the_password(running: BackendProcess, tmp_path: Path) -> None:
    settings = {"REVIEW_COPILOT_PORT": str(running.port), "REVIEW_COPILOT_PASSWORD": "no longer right"}
    done = typed("status", cwd=tmp_path, **settings)
    assert done.returncode == 2
    assert "rejects the password in your settings" in done.stderr
    assert "REVIEW_COPILOT_PASSWORD" in done.stderr
    assert "no longer right" not in done.stderr


@pytest.mark.parametrize("body", [b"<!doctype html><title>Sign in</title>", b'{"status": "UP"}', b"[1]"])
def test_status_of_something_else_names_the_url(body: bytes, tmp_path: Path) -> None:
    with serving(lambda _: Answer(200, body)) as server:
        done = typed("status", cwd=tmp_path, REVIEW_COPILOT_PUBLIC_URL=server.url)
    assert done.returncode == 2
    assert "is not Review Copilot: something else answered (HTTP 200)" in done.stderr
    assert "REVIEW_COPILOT_PUBLIC_URL" in done.stderr


def test_an_engine_whose_package_is_not_there_names_the_pip_command(tmp_path: Path) -> None:
    """In a process of its own where `ray` cannot be imported."""
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from review_copilot.engines.ray_actors import ray_package\n"
        "from review_copilot.errors import ExtraMissing\n"
        "import json\n"
        "try: ray_package()\n"
        "except ExtraMissing as error: print(json.dumps(str(error)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert 'pip install "label-studio-review-copilot[ray]"' in json.loads(done.stdout)
