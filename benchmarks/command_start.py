"""How long commands take to start: `--help` beside its libraries, and `inspect` on one image.

    python benchmarks/command_start.py [--runs 7]

Seconds of processor time (user and system) of whole processes, the least of several runs, which a busy machine disturbs
least; wall time is printed beside it. Exit code 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

HELP_RATIO, INSPECT_S = 2.0, 1.5
COMMAND = str(Path(sys.executable).with_name("review-copilot"))


def least_s(command: Sequence[str], *, runs: int) -> tuple[float, float]:
    """Least processor seconds and least wall seconds of a command."""
    processor, wall = [], []
    for _ in range(runs):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        wall.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(processor), min(wall)


def main() -> int:
    """Print a table; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        photograph = Path(folder) / "photograph.jpg"
        picture = data.astronaut()  # type: ignore[no-untyped-call]  # scikit-image leaves it untyped
        Image.fromarray(np.asarray(picture)).save(photograph)
        libraries, _ = least_s([sys.executable, "-c", "import typer, rich"], runs=runs)
        listed, _ = least_s([COMMAND, "--help"], runs=runs)
        inspected, wall = least_s([COMMAND, "inspect", str(photograph), "--json"], runs=runs)
    print(f"import typer, rich        {libraries:.2f} s")
    print(f"review-copilot --help     {listed:.2f} s, {listed / libraries:.2f} times that (goal: {HELP_RATIO:g})")
    print(f"review-copilot inspect    {inspected:.2f} s, {wall:.2f} s of wall time (goal: {INSPECT_S:g} s)")
    return 0 if listed <= HELP_RATIO * libraries and inspected <= INSPECT_S else 1


if __name__ == "__main__":
    raise SystemExit(main())
