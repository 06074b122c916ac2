"""Import an export of many tasks: seconds, tasks a second and peak memory, beside an import of a tenth of them.

Run: `python benchmarks/imports.py [--tasks 100000]`. Writes the export itself, to a folder that is removed again.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def write_export(path: Path, *, tasks: int) -> None:
    """An export of `tasks` tasks with five drafted boxes each, of which the reviewer kept four and moved one."""
    with path.open("w", encoding="utf-8") as out:
        out.write("[")
        for number in range(1, tasks + 1):
            result = [_box(f"{number}-{n}", x=5 + 15 * n) for n in range(5)]
            kept = [_box(f"{number}-{n}", x=5 + 15 * n + (2 if n == 0 else 0)) for n in range(4)]
            task = {
                "id": number, "project": 1, "data": {"image": f"{number}.png"},
                "annotations": [{
                    "id": number, "completed_by": number % 7, "result": kept, "lead_time": 20.5,
                    "parent_prediction": number, "created_at": "2026-03-02T12:10:00Z",
                    "updated_at": "2026-03-02T12:10:00Z",
                }],
                "predictions": [{"id": number, "model_version": "v1", "created_at": "2026-03-02T12:00:00Z",
                                 "score": 0.7, "result": result}],
            }  # fmt: skip
            out.write(("," if number > 1 else "") + json.dumps(task))
        out.write("]")


def _box(region_id: str, *, x: float) -> dict[str, object]:
    value = {"x": x, "y": 20, "width": 10, "height": 10, "rotation": 0, "rectanglelabels": ["Out of focus"]}
    return {"id": region_id, "from_name": "label", "to_name": "image", "type": "rectanglelabels", "value": value,
            "original_width": 1000, "original_height": 800, "score": 0.7}  # fmt: skip


def measure(export: Path) -> None:
    """Import in this process and print seconds and peak memory in MiB."""
    from review_copilot.bootstrap.reviewing import SystemClock  # noqa: PLC0415  # loaded in the measured process alone
    from review_copilot.flows.import_log import import_tasks  # noqa: PLC0415
    from review_copilot.labelstudio.exports import ExportReader, records  # noqa: PLC0415
    from review_copilot.labelstudio.label_config import generate  # noqa: PLC0415
    from review_copilot.labelstudio.mapping import read_label_config  # noqa: PLC0415
    from review_copilot.library import load_guideline  # noqa: PLC0415
    from review_copilot.store import open_store  # noqa: PLC0415

    guideline = load_guideline("photo-quality")
    labels = read_label_config(generate(guideline), guideline)
    store = open_store(f"sqlite:///{export.with_suffix('.db')}", clock=SystemClock())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    with export.open("rb") as file:
        reader = ExportReader(labels=labels, guideline=guideline, instance="benchmark")
        report = import_tasks(reader.tasks(records(file)), store=store)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    store.close()
    size = export.stat().st_size / 2**20
    print(
        f"{report.tasks} tasks ({size:.0f} MiB): {seconds:.1f} s, {report.tasks / seconds:.0f} tasks a second, "
        f"{report.rows} rows, peak memory {peak / 1024:.0f} MiB ({before / 1024:.0f} before)",
        flush=True,
    )
    assert report.skipped == 0
    assert report.revisions == report.tasks


def main() -> None:
    """Measure a tenth, then all, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    with tempfile.TemporaryDirectory() as folder:
        for tasks in (options.tasks // 10, options.tasks):
            export = Path(folder) / f"{tasks}.json"
            write_export(export, tasks=tasks)
            subprocess.run([sys.executable, __file__, "--measure", str(export)], check=True)


if __name__ == "__main__":
    main()
