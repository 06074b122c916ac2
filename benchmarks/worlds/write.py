"""Write one simulated world as an export and its truth beside it.

Run: `python benchmarks/worlds/write.py WORLD SEED OUT [--clean] [--causes CAUSE ...]`. OUT is a file (.csv, .jsonl,
.parquet) or a folder, which gets CSV and JSONL, and Parquet where pyarrow is installed. The truth is OUT's name with
the ending .truth.json.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from worlds import CAUSES, FORMATS, WORLDS, write_export, write_truth


def main() -> None:
    """Read the arguments, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("world", choices=sorted(WORLDS))
    parser.add_argument("seed", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--clean", action="store_true", help="plant nothing")
    parser.add_argument("--causes", nargs="*", choices=CAUSES, help="what to plant; drawn when left out")
    arguments = parser.parse_args()
    started = time.perf_counter()
    world = WORLDS[arguments.world](arguments.seed, clean=arguments.clean, causes=arguments.causes)
    seconds = time.perf_counter() - started
    out: Path = arguments.out
    if out.suffix.lstrip(".") in FORMATS:
        out.parent.mkdir(parents=True, exist_ok=True)
        files = [out]
    else:
        out.mkdir(parents=True, exist_ok=True)
        name = f"{world.name}-{world.seed}{'-clean' if world.clean else ''}"
        endings = [e for e in FORMATS if e != "parquet" or find_spec("pyarrow")]
        files = [out / f"{name}.{ending}" for ending in endings]
    for file in files:
        write_export(world, file)
    write_truth(world, files[0].with_suffix(".truth.json"))
    print(f"{len(world.rows)} rows in {seconds:.1f} s: {', '.join(str(file) for file in files)}")
    for truth in world.truth:
        print(
            f"  {truth.cause}: {truth.words} {truth.effect:.0%} of {truth.units} {truth.unit}, usual {truth.usual:.0%}."
        )
    if world.left_out:
        print(f"  No room for: {', '.join(world.left_out)}.")


if __name__ == "__main__":
    main()
