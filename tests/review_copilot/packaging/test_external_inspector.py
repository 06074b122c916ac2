"""The example of an external inspector, installed beside the wheel, is found and keeps the contract."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "external_inspector"


@pytest.fixture(scope="module")
def with_example(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the commands of the environment, now with the example in it too."""
    out = tmp_path_factory.mktemp("example")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(EXAMPLE)]
    subprocess.run(command, check=True, capture_output=True)
    pip = [str(installed / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, str(next(out.glob("*.whl")))], check=True, capture_output=True)
    return installed


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("width_px", "found"), [(320, 1), (639, 1), (640, 0)])
def test_review_copilot_inspects_with_it(with_example: Path, tmp_path: Path, width_px: int, found: int) -> None:
    Image.fromarray(np.full((200, width_px, 3), 120, np.uint8)).save(tmp_path / "plain.png")
    command = [str(with_example / "review-copilot"), "inspect", "plain.png", "--inspector", "megapixels", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    suggestions = json.loads(done.stdout)["suggestions"]
    assert len(suggestions) == found
    assert all(f"{width_px} px" in s["rationale"] for s in suggestions)


@pytest.mark.timeout(600)
def test_it_passes_the_contract_suite(with_example: Path, tmp_path: Path) -> None:
    command = [str(with_example / "python"), str(EXAMPLE / "check_contract.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "passed: test_what_it_says_fits_the_guideline" in done.stdout


def test_it_imports_only_the_plugin_module() -> None:
    tree = ast.parse((EXAMPLE / "megapixel_inspector" / "__init__.py").read_text("utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert imported == {"review_copilot.plugin"}
