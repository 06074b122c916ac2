"""How long a sweep of a large project takes: the first one, one that finds nothing, one that finds a few changes.

Run: `python benchmarks/sweep.py --label-studio-env DIR [--tasks 5000] [--json FILE]`. A real Label Studio is started
and filled; each task has one annotation of five boxes. The pages are read without a pause here; the backend reads
`REVIEW_COPILOT_PAGES_PER_S` of them in a second. Server and sweep share this machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from review_copilot.bootstrap.reviewing import SystemClock
from review_copilot.demo import label_studio_server as ls
from review_copilot.flows.sweep import OVERLAP, SweepReport, sweep_project
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.transport import Transport
from review_copilot.labelstudio.workspace import LabelStudioOpener, LabelStudioWorkspace
from review_copilot.library import load_guideline
from review_copilot.store import open_store

IMPORTED_AT_ONCE = 1000
CHANGED = 20


def boxes(number: int) -> list[dict[str, object]]:
    """Five boxes, as the editor submits them."""
    return [
        {
            "id": f"{number}-{n}", "from_name": "label", "to_name": "image", "type": "rectanglelabels",
            "original_width": 1000, "original_height": 800,
            "value": {"x": 5 + 15 * n, "y": 20, "width": 10, "height": 10, "rotation": 0,
                      "rectanglelabels": ["Out of focus"]},
        }
        for n in range(5)
    ]  # fmt: skip


def fill(client: LabelStudioClient, tasks: int) -> LabelStudioWorkspace:
    """A project of so many annotated tasks."""
    guideline = load_guideline("photo-quality")
    project = client.create_project(title="Sweep benchmark", label_config=generate(guideline))
    for first in range(0, tasks, IMPORTED_AT_ONCE):
        numbers = range(first, min(tasks, first + IMPORTED_AT_ONCE))
        annotated = [
            {"data": {"image": f"http://example.org/{n}.png"}, "annotations": [{"result": boxes(n)}]} for n in numbers
        ]
        client.import_tasks(project.id, annotated)
    return LabelStudioOpener(client, instance="", guideline_of=lambda _: guideline).open(project.id)


def timed(sweep: Callable[[], SweepReport]) -> dict[str, float]:
    """Seconds, and what was read and found."""
    began = time.perf_counter()
    report = sweep()
    seconds = time.perf_counter() - began
    return {"seconds": round(seconds, 2), "tasks": report.tasks, "revisions": report.revisions}


def measure(workspace: LabelStudioWorkspace, client: LabelStudioClient, folder: Path) -> dict[str, dict[str, float]]:
    """The three sweeps, one after the other."""
    store = open_store(f"sqlite:///{folder / 'log.db'}", clock=SystemClock())
    first = timed(lambda: sweep_project(workspace, store=store))
    nothing_new = timed(lambda: sweep_project(workspace, store=store, everything=True))
    time.sleep(OVERLAP.total_seconds())  # each sweep looks again at what changed so long before the last one
    for task_id in sorted(workspace.task_ids())[:CHANGED]:
        client.create_annotation(task_id, {"result": boxes(task_id)})
    return {
        "first": first,
        "everything again": nothing_new,
        f"{CHANGED} changes": timed(lambda: sweep_project(workspace, store=store, deleted_tasks=False)),
        "and deleted tasks looked for": timed(lambda: sweep_project(workspace, store=store)),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label-studio-env", type=Path, default=Path(".label-studio"))
    parser.add_argument("--tasks", type=int, default=5_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    environment = ls.install(options.label_studio_env.absolute(), say=print)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, account = folder / "label-studio", ls.Account()
        with (
            ls.running(environment, data=data, options=ls.ServerOptions(account=account)) as server,
            LabelStudioClient(Transport(server.url, account.legacy_token)) as client,
        ):
            figures = measure(fill(client, options.tasks), client, folder)
    for what, one in figures.items():
        print(
            f"{what:30} {one['seconds']:8.2f} s  {one['tasks']:6.0f} tasks read, {one['revisions']:.0f} new revisions"
        )
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak_mib:.0f} MiB")
    if options.json:
        content = {"tasks": options.tasks, "peak_mib": round(peak_mib), **figures}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
