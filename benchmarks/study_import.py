"""The whole road of a simulated project: export file, `overrides import`, `report --format json`, score.

Knows the report by its documented JSON alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import importable  # noqa: F401  # first: the folders that the next imports need
from study_export import export, labels_of
from study_world import Truth, World

GUIDELINE = "photo-quality"
CRITERIA = tuple(name for name in labels_of(GUIDELINE) if name != "uncovered")
Found = tuple[str, frozenset[str], str]


def found_by_report(world: World, *, old_form: bool = False) -> frozenset[Found]:
    """Cause, criteria and reviewer of each flag that the report of an imported export raises.

    Args:
        world: The project; its criteria are some of CRITERIA.
        old_form: Write `completions` with bare user ids, as Label Studio did before 1.0.
    """
    with TemporaryDirectory() as folder:
        file, report = Path(folder, "export.json"), Path(folder, "report.json")
        tasks = list(export(world, labels_of(GUIDELINE)))
        file.write_text(json.dumps([_old(task) for task in tasks] if old_form else tasks), encoding="utf-8")
        _run(folder, "overrides", "import", str(file), "--project", "1")
        _run(folder, "report", "--project", "1", "--format", "json", "--out", str(report))
        flags = json.loads(report.read_text(encoding="utf-8"))["flags"]
    return frozenset((f["cause"], _criteria(f["criterion"]), str(f["evidence"].get("reviewer", ""))) for f in flags)


def planted(truths: Sequence[Truth]) -> frozenset[Found]:
    """The same of what was planted."""
    return frozenset((t.cause, frozenset(t.criteria), t.reviewer.rpartition("-")[2]) for t in truths)


def _old(task: dict[str, object]) -> dict[str, object]:
    annotations = task["annotations"]
    assert isinstance(annotations, list)
    completions = [{**a, "completed_by": a["completed_by"]["id"]} for a in annotations]
    return {**{name: value for name, value in task.items() if name != "annotations"}, "completions": completions}


def _criteria(named: object) -> frozenset[str]:
    return frozenset(named if isinstance(named, list) else [] if named is None else [str(named)])


def _run(folder: str, *words: str) -> None:
    database = {"REVIEW_COPILOT_DATABASE_URL": f"sqlite:///{folder}/log.db"}
    subprocess.run(
        [sys.executable, "-m", "review_copilot.cli", *words],
        env=os.environ | database,
        cwd=folder,
        check=True,
        capture_output=True,
    )
