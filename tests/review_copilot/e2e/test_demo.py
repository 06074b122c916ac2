"""`review-copilot demo` as a process: what it says, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

pytestmark = [pytest.mark.labelstudio, pytest.mark.timeout(600)]

WITHIN_S = 500
"""Half a minute on an idle machine; a crowded one needs minutes to start Label Studio alone."""


@contextmanager
def _demo(environment: Path, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command with its output in a pipe; ended in any case."""
    command = [sys.executable, "-m", "review_copilot.cli", "demo", "--label-studio-env", str(environment)]
    with subprocess.Popen(
        [*command, "--folder", str(folder), *arguments],
        env={**os.environ, "COLUMNS": "160"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=60)
            process.kill()


def _processes_about(folder: Path) -> list[str]:
    """Command lines of the processes that work in a folder or name it (Linux only, by /proc)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                where = (entry / "cwd").readlink()
                said = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if where.is_relative_to(folder) or str(folder) in said:
                    found.append(said)
    return found


def test_once_reviews_by_script_and_leaves_nothing_behind(label_studio_environment: Path, tmp_path: Path) -> None:
    with _demo(label_studio_environment, tmp_path / "demo", "--once") as process:
        output, _ = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0, output
    assert "What the log says" in output
    assert "6 annotations" in output
    assert "What to do first" in output
    assert "resizes a box, raises its severity, and edits the rationale" in output
    assert "minor -> major" in output or "major -> critical" in output
    closing = json.loads(output.splitlines()[-1])
    assert set(closing) == {"tasks", "predictions", "suggestions", "overrides", "seconds_to_first_suggestion"}
    assert closing["tasks"] == closing["predictions"] == 12
    assert closing["suggestions"] >= 15
    assert set(closing["overrides"]) == {"untouched", "confirmed", "edited", "rejected", "added"}
    assert closing["overrides"]["edited"] == 1
    assert closing["overrides"]["rejected"] == 2
    assert closing["overrides"]["added"] == 1
    assert min(closing["overrides"].values()) >= 1
    assert 0 < closing["seconds_to_first_suggestion"] < 60
    assert _processes_about(tmp_path) == []


def test_it_stays_up_until_ctrl_c_and_then_leaves_nothing_behind(
    label_studio_environment: Path, tmp_path: Path
) -> None:
    with _demo(label_studio_environment, tmp_path / "demo") as process:
        assert process.stdout is not None
        said = ""
        while "Press Ctrl-C to stop everything" not in said:
            line = process.stdout.readline()
            assert line, f"the demo ended early:\n{said}"
            said += line
        (review,) = re.findall(r"Review: +(\S+)", said)
        (backend,) = re.findall(r"Backend: +(\S+)", said)
        (dashboard,) = re.findall(r"Dashboard: +(\S+)", said)
        _, (user, password) = re.findall(r"sign in: +(\S+)  /  (\S+)", said)
        page = requests.get(dashboard, auth=(user, password), timeout=60)
        assert page.status_code == 200
        assert f"Project {dashboard.rpartition('=')[2]}" in page.text
        assert requests.get(dashboard, timeout=30).status_code == 401
        assert requests.get(review, timeout=30).status_code == 200
        assert requests.get(f"{backend}/health", timeout=30).json() == {"status": "UP"}
        assert len(_processes_about(tmp_path)) >= 3
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    assert _processes_about(tmp_path) == []
    for url in (review, f"{backend}/health"):
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)
