"""The wheel, installed in an empty environment outside the checkout, works by itself."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[3]


def run(installed: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(installed / "review-copilot"), *words], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


def test_everything_that_people_edit_is_inside(wheel: Path) -> None:
    """Each file of prompts/ and label_config/ is in the wheel."""
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if "/shipped/" in name}
    for folder in ("prompts", "label_config"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                assert f"review_copilot/shipped/{path.relative_to(ROOT).as_posix()}" in inside


@pytest.mark.timeout(600)
def test_guidelines_and_label_configs_are_found(installed: Path, tmp_path: Path) -> None:
    done = run(installed, "label-config", "--guideline", "photo-quality", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (ROOT / "label_config" / "photo-quality.xml").read_text("utf-8").strip()


def test_an_image_is_inspected(installed: Path, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((120, 160, 3), np.uint8)).save(tmp_path / "black.png")
    done = run(installed, "inspect", "black.png", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert (line["width"], line["height"]) == (160, 120)
    assert line["verdict"] == "fail"
    assert "Under-exposed" in {s["label"] for s in line["suggestions"]}
    assert "critical" in {s["severity"] for s in line["suggestions"]}
