"""Makes the modules of `training` and `tests/support` importable. Scripts that need them import it first."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

for folder in ("training", "tests/support"):
    if str(ROOT / folder) not in sys.path:
        sys.path.append(str(ROOT / folder))
