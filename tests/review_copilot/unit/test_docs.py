"""Pages that are made from the code say what the code says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("script", ["make_settings_table.py", "make_export_schema.py", "make_reliability_table.py"])
def test_a_made_page_is_up_to_date(script: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "backend")}
    command = [sys.executable, str(ROOT / "docs" / script), "--check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
