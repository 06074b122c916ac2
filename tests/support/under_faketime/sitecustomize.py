"""Let Python sleep under libfaketime 0.9.10, whose clock_nanosleep fails when the wall clock alone is faked.

Python reads this file at its start where the folder is on PYTHONPATH.
"""

from __future__ import annotations

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex, /) -> None:
    select.select([], [], [], max(0.0, seconds if isinstance(seconds, float) else float(seconds.__index__())))


time.sleep = _sleep
