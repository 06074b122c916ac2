"""How fast the built-in inspector is: beside decoding alone, beside CleanVision, and in memory; all from one run.

python benchmarks/inspector_speed.py [--photos DIR] [--files N] [--no-cleanvision] [--json FILE]
python benchmarks/inspector_speed.py --folder N [--photos DIR]

Without --photos it takes scikit-image's photographs. "small" are the photographs as JPEG files, "large" the same
enlarged to 12 megapixels with grain, as cameras save them. Times are processor time of one process with one thread,
the best of several turns; decoding and inspecting take turns, so that a busy machine slows both alike.

--folder times `review-copilot inspect FOLDER` over N files, photographs taken over and over, on one core and on all:
seconds by the clock, start included, so that it wants a quiet machine.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import importable  # noqa: F401  # first: the folders that the next imports need
from photo_inspector.inspector import BuiltinInspector
from photos import photographs
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.image import Pixels
from review_copilot.domain.suggestion import Brief
from review_copilot.images.decode import open_image
from review_copilot.library import load_guideline

MOST_PIXELS = 400_000_000
LARGE_PIXELS = 12_000_000
TURNS = 3
SHARED_CHECKS = ("dark", "light", "blurry", "low_information", "odd_size")
"""CleanVision's checks that the built-in inspector has as well."""
SHARED_MEASURES = frozenset({"under_exposure", "over_exposure", "defocus", "empty_frame", "low_resolution"})
"""The same by the inspector's names; a guideline that asks for these alone has nothing else looked for."""
TARGETS = "targets: 1.7 times the decode-only time an image, 5 times CleanVision's images a second"


def save_jpeg(pixels: Pixels, path: Path) -> Path:
    """The picture as a JPEG file of quality 92."""
    cv2.imwrite(str(path), np.ascontiguousarray(pixels[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 92])
    return path


def enlarged(pixels: Pixels, seed: int) -> Pixels:
    """12 megapixels with grain of 3 grey levels, so that there is as much to decode as in a camera's file."""
    height, width = pixels.shape[:2]
    factor = float(np.sqrt(LARGE_PIXELS / (height * width)))
    large = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC).astype(np.int16)
    grain = np.random.default_rng(seed).normal(0, 3, (512, 512, 3)).astype(np.int16)
    rows, columns = -(-large.shape[0] // 512), -(-large.shape[1] // 512)
    large += np.tile(grain, (rows, columns, 1))[: large.shape[0], : large.shape[1]]
    return np.clip(large, 0, 255).astype(np.uint8)


def decode(path: Path) -> Pixels:
    """What the inspector does first: the file, upright, as RGB."""
    return open_image(path.read_bytes(), source=path.name, max_pixels=MOST_PIXELS).pixels


def decode_by_pillow(path: Path) -> Pixels:
    """The same pixels as most programs in Python read them."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def inspect(path: Path, guideline: Guideline) -> None:
    """Decode and inspect."""
    image = open_image(path.read_bytes(), source=path.name, max_pixels=MOST_PIXELS)
    BuiltinInspector().inspect(Brief(image, guideline))


def inspect_all(paths: Sequence[Path], guideline: Guideline) -> None:
    """Decode and inspect, one after another."""
    for path in paths:
        inspect(path, guideline)


def processor_s(work: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def against_decode(paths: Sequence[Path], guideline: Guideline) -> dict[str, float]:
    """Mean milliseconds an image to decode, and to decode and inspect, and how these compare.

    The inspector's own decoding is held against, and Pillow's, which takes twice as long for large JPEG files.
    """
    alone = whole = pillow = 0.0
    for path in paths:
        works = (partial(decode, path), partial(inspect, path, guideline), partial(decode_by_pillow, path))
        named_locks = [[processor_s(work) for work in works] for _ in range(TURNS)]
        own, both, theirs = (min(turn) for turn in zip(*named_locks, strict=True))
        alone, whole, pillow = alone + own, whole + both, pillow + theirs
    each = 1000 / len(paths)
    return {
        "decode_ms": round(alone * each, 2), "inspect_ms": round(whole * each, 2), "ratio": round(whole / alone, 2),
        "pillow_ms": round(pillow * each, 2), "ratio_to_pillow": round(whole / pillow, 2),
    }  # fmt: skip


def cleanvision_s(paths: Sequence[Path]) -> float:
    """Processor seconds of CleanVision's shared checks on these files, in one process."""
    from cleanvision import Imagelab  # noqa: PLC0415  slow to import, and only needed here

    lab = Imagelab(filepaths=[str(path) for path in paths])

    def look() -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            lab.find_issues({check: {} for check in SHARED_CHECKS}, n_jobs=1)

    return processor_s(look)


def overlapping(guideline: Guideline) -> Guideline:
    """The guideline with nothing but what CleanVision checks as well."""
    asked = [replace(c, measures=tuple(m for m in c.measures if m in SHARED_MEASURES)) for c in guideline.criteria]
    return replace(guideline, criteria=tuple(c for c in asked if c.measures))


def against_cleanvision(paths: Sequence[Path], guideline: Guideline) -> dict[str, float]:
    """Images a second over those of CleanVision's five checks; best of the turns."""
    theirs, ours = float("inf"), float("inf")
    for _ in range(TURNS):
        theirs = min(theirs, cleanvision_s(paths))
        ours = min(ours, processor_s(lambda: inspect_all(paths, guideline)))
    return {
        "cleanvision_images_a_second": round(len(paths) / theirs, 1),
        "images_a_second": round(len(paths) / ours, 1),
        "ratio": round(theirs / ours, 2),
    }


def memory(path: Path) -> dict[str, float]:
    """Peak memory of inspecting one file in a process of its own, over the decoded image's size."""
    command = [sys.executable, __file__, "--peak", str(path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    peak = json.loads(said)
    return {"image_mb": peak["image_mb"], "peak_over_image": peak["peak_over_image"], "inspect_s": peak["inspect_s"]}


def peak_bytes() -> int:
    """Most memory that this process ever held. On Linux the counter of getrusage is inherited, so /proc tells it."""
    status = Path("/proc/self/status")
    if status.exists():
        held = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return 1024 * int(held.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def print_peak(path: Path) -> None:
    """In the process of `memory`: what the run needs beyond what importing and a first small image took."""
    guideline = load_guideline("photo-quality")
    small = save_jpeg(np.random.default_rng(1).integers(0, 255, (320, 480, 3)).astype(np.uint8),
                      Path(tempfile.mkdtemp()) / "warm.jpg")  # fmt: skip
    inspect(small, guideline)
    before = peak_bytes()
    took = processor_s(lambda: inspect(path, guideline))
    grown = peak_bytes() - before
    image = open_image(path.read_bytes(), source=path.name, max_pixels=MOST_PIXELS)
    size = image.width_px * image.height_px * 3
    said = {"image_mb": round(size / 1e6, 1), "peak_over_image": round(grown / size, 2), "inspect_s": round(took, 2)}
    print(json.dumps(said))


def held_bytes(process_id: int) -> int:
    """Most memory that each process of a tree has held so far, summed; 0 for what has ended meanwhile."""
    home = Path("/proc", str(process_id))
    try:
        status = (home / "status").read_text(encoding="ascii", errors="replace").splitlines()
        children = (home / "task" / str(process_id) / "children").read_text(encoding="ascii").split()
    except OSError:
        return 0
    own = next((1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
    return own + sum(held_bytes(int(child)) for child in children)


def folder(paths: Sequence[Path], room: Path) -> dict[str, dict[str, float]]:
    """Images a second of the command over a folder, by the number of cores it may use, and what it held in memory."""
    at_hand = sorted(os.sched_getaffinity(0))
    figures: dict[str, dict[str, float]] = {}
    for count in dict.fromkeys((1, len(at_hand))):
        out = room / "out.jsonl"
        command = [sys.executable, "-m", "review_copilot.cli", "inspect", "--json", str(paths[0].parent)]
        began = time.monotonic()
        most = 0
        with out.open("wb") as sink:
            running = subprocess.Popen(["taskset", "-c", ",".join(map(str, at_hand[:count])), *command], stdout=sink)
            while running.poll() is None:
                most = max(most, held_bytes(running.pid))
                time.sleep(0.1)
        took = time.monotonic() - began
        lines = out.read_text(encoding="utf-8").splitlines()
        figures[f"folder, cores used: {count}"] = {
            "images": len(lines), "seconds": round(took, 1), "images_a_second": round(len(lines) / took, 1),
            "memory_mb": round(most / 1e6),
        }  # fmt: skip
    rates = [row["images_a_second"] for row in figures.values()]
    figures["folder, all cores"] = {"times_one_core": round(rates[-1] / rates[0], 2), "cores": len(at_hand)}
    return figures


def print_figures(results: dict[str, dict[str, float]]) -> None:
    """One line for each measurement."""
    for name, figures in results.items():
        print(f"{name:28s}", "  ".join(f"{key} {value}" for key, value in figures.items()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=None, help="folder of photographs; scikit-image's when left out")
    parser.add_argument("--files", type=int, default=24, help="most photographs")
    parser.add_argument("--no-cleanvision", action="store_true")
    parser.add_argument("--folder", type=int, metavar="N", help="time the command over a folder of N files instead")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peak", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.peak is not None:
        print_peak(options.peak)
        return
    guideline = load_guideline("photo-quality")
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as room:
        if options.folder:
            taken = list(photographs(options.photos, "all"))[: options.folder]
            files = Path(room) / "folder"
            files.mkdir()
            paths = [save_jpeg(taken[i % len(taken)][1], files / f"{i:05d}.jpg") for i in range(options.folder)]
            print_figures(folder(paths, Path(room)))
            return
        chosen = list(photographs(options.photos, "all"))[: options.files]
        small = [save_jpeg(pixels, Path(room) / f"small-{i:03d}.jpg") for i, (_, pixels) in enumerate(chosen)]
        large = [save_jpeg(enlarged(pixels, i), Path(room) / f"large-{i:03d}.jpg")
                 for i, (_, pixels) in enumerate(chosen[: max(2, options.files // 3)])]  # fmt: skip
        results["small, beside decoding"] = against_decode(small, guideline)
        results["large, beside decoding"] = against_decode(large, guideline)
        if not options.no_cleanvision:
            shared = overlapping(guideline)
            results["small, shared checks"] = against_cleanvision(small, shared)
            results["large, shared checks"] = against_cleanvision(large, shared)
            results["small, all beside its five"] = against_cleanvision(small, guideline)
            results["large, all beside its five"] = against_cleanvision(large, guideline)
        results["large, memory"] = memory(large[0])
        strip = np.tile(cv2.resize(chosen[0][1], (1000, 5000)), (1, 20, 1))
        results["panorama of 100 megapixels"] = memory(save_jpeg(strip.astype(np.uint8), Path(room) / "panorama.jpg"))
    print_figures(results)
    print(TARGETS)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
