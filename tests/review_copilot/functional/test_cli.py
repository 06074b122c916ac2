"""The commands that need no Label Studio, run as a person runs them."""

from __future__ import annotations

import csv
import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data
from typer.testing import CliRunner

from builders import a_review, a_suggestion, untouched
from fake_clock import FakeClock
from review_copilot.cli.typer_app import build_whole_app
from review_copilot.compare import compare
from review_copilot.store import open_store


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A sharp photograph, a blurred one, one that is turned by EXIF, and a file that is no image."""
    folder = tmp_path / "photos"
    folder.mkdir()
    astronaut = data.astronaut()  # type: ignore[no-untyped-call]  # scikit-image
    Image.fromarray(astronaut).save(folder / "sharp.png")
    Image.fromarray(cv2.GaussianBlur(astronaut, (0, 0), 5)).save(folder / "soft.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((60, 100, 3), np.uint8)).save(folder / "turned.jpg", exif=exif)
    (folder / "page.jpg").write_text("<!doctype html><title>Sign in</title>")
    return folder


def run(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "review_copilot.cli", *words]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REVIEW_COPILOT_")}
    return subprocess.run(
        command, cwd=cwd, env={**kept, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


def test_inspect_prints_one_json_object_a_line(photos: Path) -> None:
    done = run("inspect", str(photos), "--json", cwd=photos)
    lines = {Path(line["image"]).name: line for line in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1, "one file could not be read"
    assert list(lines) == ["page.jpg", "sharp.png", "soft.png", "turned.jpg"]
    assert set(lines["page.jpg"]) == {"image", "error"}
    assert "web page" in lines["page.jpg"]["error"]
    assert "Out of focus" in {s["label"] for s in lines["soft.png"]["suggestions"]}
    assert "Out of focus" not in {s["label"] for s in lines["sharp.png"]["suggestions"]}
    assert (lines["turned.jpg"]["width"], lines["turned.jpg"]["height"]) == (60, 100)


def _many(folder: Path, count: int, *, broken: int) -> None:
    """A folder of small photographs, of which one is cut off."""
    small = cv2.resize(data.astronaut(), (240, 240))  # type: ignore[no-untyped-call]  # scikit-image
    folder.mkdir()
    for number in range(count):
        Image.fromarray(small).save(folder / f"{number:03d}.jpg", quality=85)
    kept = folder / f"{broken:03d}.jpg"
    kept.write_bytes(kept.read_bytes()[:900])


def test_a_large_folder_is_inspected_in_order_and_its_broken_file_is_named(tmp_path: Path) -> None:
    """Above two dozen files every core has its own process; what comes out stays the same."""
    _many(tmp_path / "many", 30, broken=7)
    done = run("inspect", "many", "--json", cwd=tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [Path(line["image"]).name for line in lines] == [f"{number:03d}.jpg" for number in range(30)]
    assert [Path(line["image"]).name for line in lines if "error" in line] == ["007.jpg"]
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_a_long_run_without_a_traceback_and_leaves_no_process(tmp_path: Path) -> None:
    _many(tmp_path / "many", 400, broken=0)
    # whoever starts the tests in the background may have told them to ignore the signal
    listening = ["env", "--default-signal=INT"]
    command = [*listening, sys.executable, "-m", "review_copilot.cli", "inspect", "many", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stdout is not None
        first = json.loads(running.stdout.readline())
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does, to the whole group
        rest, said = running.communicate(timeout=60)
    assert Path(first["image"]).name == "000.jpg"
    assert len(rest.splitlines()) < 399
    assert running.returncode not in {0, 1}
    assert "Traceback" not in said
    assert _gone_within(running.pid, seconds=20)


def _gone_within(group: int, *, seconds: float) -> bool:
    """Whether the last process of a group ends in time; one that only waits to be collected has ended."""
    for _ in range(int(5 * seconds)):
        listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in listed.splitlines()]
        if not any(row[0] == str(group) and not row[1].startswith("Z") for row in rows):
            return True
        time.sleep(0.2)
    return False


def test_every_suggestion_says_what_a_caller_needs(photos: Path) -> None:
    line = json.loads(run("inspect", str(photos / "soft.png"), "--json", cwd=photos).stdout)
    assert set(line) >= {"image", "width", "height", "verdict", "summary", "suggestions", "dropped", "elapsed_s"}
    for suggestion in line["suggestions"]:
        assert set(suggestion["box"]) == {"x", "y", "width", "height"}
        assert suggestion["scope"] in {"image", "region"}
        assert suggestion["severity"] in {"minor", "major", "critical"}
        assert 0 <= suggestion["score"] <= 1
        assert suggestion["rationale"]
        assert suggestion["evidence"]


def test_inspect_prints_a_table(photos: Path) -> None:
    done = run("inspect", str(photos / "soft.png"), cwd=photos)
    assert done.returncode == 0
    assert "Out of focus" in done.stdout
    assert "1 images, 0 unreadable" in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("inspect", ".", "--guideline", "no-such"), "no-such"),
        (("inspect", ".", "--inspector", "no-such"), "builtin"),
        (("preannotate", "--project", "1"), "REVIEW_COPILOT_LABEL_STUDIO_TOKEN"),
        (("connect", "--token", "x"), "--create TITLE"),
        (("serve",), "REVIEW_COPILOT_PASSWORD"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(photos: Path, words: tuple[str, ...], says: str) -> None:
    done = run(*words, cwd=photos)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named(photos: Path) -> None:
    done = run("inspect", ".", cwd=photos, REVIEW_COPILOT_PORT="many")
    assert done.returncode == 2
    assert "REVIEW_COPILOT_PORT" in done.stderr


def test_the_log_is_listed_and_exported(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    store = open_store(url, clock=FakeClock())
    review = a_review("r1", a_suggestion("s1"))
    store.remember([review])
    store.append(compare(untouched(review), [review]))
    store.close()
    listed = run("overrides", "list", cwd=tmp_path, REVIEW_COPILOT_DATABASE_URL=url)
    assert "untouched" in listed.stdout
    out = tmp_path / "log.csv"
    exported = run("overrides", "export", "--out", str(out), cwd=tmp_path, REVIEW_COPILOT_DATABASE_URL=url)
    assert "rows written" in exported.stderr
    with out.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["subject"] for row in rows} == {"region", "verdict", "summary"}
    lines = run("overrides", "export", "--format", "jsonl", cwd=tmp_path, REVIEW_COPILOT_DATABASE_URL=url).stdout
    assert [json.loads(line)["kind"] for line in lines.splitlines()] == [row["kind"] for row in rows]


def test_an_empty_log_says_how_it_fills(tmp_path: Path) -> None:
    done = run("overrides", "list", cwd=tmp_path)
    assert "review-copilot serve" in done.stdout


def test_a_command_leaves_the_log_levels_of_its_process_as_they_were(tmp_path: Path) -> None:
    """A command can be called from a longer process: after it, failed tasks must be logged as before."""

    def levels() -> dict[str, int]:
        known = dict(logging.root.manager.loggerDict)
        return {name: logging.getLogger(name).level for name in known if name.startswith("review_copilot")}

    before = levels()
    run = CliRunner().invoke(build_whole_app(), ["inspect", str(tmp_path / "missing.png")])
    assert run.exit_code != 0
    assert {name: level for name, level in levels().items() if level != before.get(name, logging.NOTSET)} == {}
