"""What `serve` prints when it starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from backends import backends

TOPICS = ("Label Studio", "database", "backend", "drafts", "projects")


def start_of(folder: Path, **settings: object) -> str:
    """The log of a backend that has just started."""
    chosen: Mapping[str, object] = {"database_url": f"sqlite:///{folder}/log.db", **settings}
    with backends(1, settings=chosen, folder=folder) as (backend,):
        return (folder / f"{backend.port}.log").read_text()


def lines_of(log: str) -> list[str]:
    """The lines about the topics, in order."""
    return [line for line in log.splitlines() if re.search(rf"\b({'|'.join(TOPICS)}): ", line)]


def test_five_lines_tell_the_state(tmp_path: Path) -> None:
    log = start_of(tmp_path)
    lines = lines_of(log)
    assert len(lines) == len(TOPICS)
    for topic, line in zip(TOPICS, lines, strict=True):
        assert f"{topic}: " in line
    assert "without a token" in lines[0]
    assert f"{tmp_path}/log.db" in lines[1]
    assert "the password of copilot" in lines[2]
    assert "guideline photo-quality" in lines[3]
    assert "review-copilot connect --project N" in lines[4]
    assert "open sesame" not in log


def test_faults_are_warnings_with_their_fix(tmp_path: Path) -> None:
    """The backend starts all the same: Label Studio may start later."""
    log = start_of(tmp_path, label_studio_token="0" * 40, public_url="http://0.0.0.0:9090", gideline="pcb")
    found = lines_of(log)
    assert len(found) == len(TOPICS)
    assert "Cannot reach Label Studio at http://127.0.0.1:1. Fix: Check that it is running" in found[0]
    assert "not an address that Label Studio can call. Fix: REVIEW_COPILOT_PUBLIC_URL=" in found[2]
    assert (
        "REVIEW_COPILOT_GIDELINE is not a setting, so it has no effect. Did you mean REVIEW_COPILOT_GUIDELINE?" in log
    )
