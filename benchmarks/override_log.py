"""How fast a project's reviews are compared and logged, read back and exported, and in how much memory.

Run: `python benchmarks/override_log.py [--tasks N] [--url DATABASE] [--json FILE]`. Each task has 5 drafted boxes; its
reviewer moved one, deleted one, drew one anew and left the others. Beside it, the same rows written by a plain sqlite3
loop with one transaction for each task, as a small script would.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from review_copilot.compare import compare
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.override import Comparison, SubmittedAnnotation, SubmittedRegion
from review_copilot.domain.review import Exposure, ProjectKey, Provenance, Review, TaskKey
from review_copilot.domain.suggestion import Scope, Suggestion
from review_copilot.reports.write_overrides import write_jsonl
from review_copilot.store import SqlStore, open_store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROJECT = ProjectKey("http://label-studio.test", 1, "1760000000")
PROVENANCE = Provenance("builtin", "0a1b2c3d4e5f", "photo-quality r1 0a1b2c", "photo-quality", "9f2c1a77aa01")
BOXES = 5
ROWS = BOXES + 2
"""Rows of each task: one for each drafted box, the verdict and the summary."""


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Noon."""
        return NOON


def a_suggestion(task_id: int, number: int) -> Suggestion:
    """One of the drafted boxes of a task."""
    return Suggestion(
        id=f"{task_id:08x}-{number}",
        criterion_id=f"PQ-{number + 1:02d}",
        label=f"Criterion {number}",
        severity=Severity.MAJOR,
        score=0.8,
        scope=Scope.REGION,
        box=Box(number / 6, number / 7, 0.12, 0.12),
        rationale=f"The area near {number} is soft; edges are {number + 2} px wide where the guideline wants two.",
        evidence={"edge_width_px": number + 2.0},
        source="measured",
    )


def a_review(task_id: int) -> Review:
    """The draft of a task."""
    return Review(
        id=f"{task_id:032x}",
        key=TaskKey(PROJECT, task_id),
        suggestions=tuple(a_suggestion(task_id, number) for number in range(BOXES)),
        verdict=Verdict.FAIL,
        summary="Five flaws.",
        provenance=PROVENANCE,
        exposure=Exposure.SHOWN,
        created_at=NOON,
        image_width_px=1200,
        image_height_px=800,
        image_sha256="ab" * 32,
    )


def a_submission(review: Review) -> SubmittedAnnotation:
    """What the reviewer made of it."""
    kept = [
        SubmittedRegion(s.id, s.box, (s.label,), s.criterion_id, s.severity, s.rationale)
        for s in review.suggestions[1:]
    ]
    moved = replace(kept[0], box=Box(0.2, 0.2, 0.12, 0.12))
    anew = replace(kept[1], id=f"{kept[1].id}-drawn", box=Box(0.34, 0.29, 0.12, 0.12), rationale="Soft.")
    return SubmittedAnnotation(
        key=review.key,
        annotation_id=review.key.task_id,
        regions=(moved, anew, *kept[2:]),
        verdict=Verdict.FAIL,
        summary=review.summary,
        author="3",
        editor="3",
        created_at=NOON,
        updated_at=NOON,
        content_hash=review.id,
    )


def timed(work: Callable[[], object]) -> float:
    """Seconds of wall clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def comparisons(tasks: int) -> Iterator[Comparison]:
    """Every task's reviews and annotations, compared as they come."""
    for task_id in range(1, tasks + 1):
        review = a_review(task_id)
        yield compare(a_submission(review), [review])


def plain_loop(path: Path, tasks: int) -> None:
    """The rows of the same comparisons, one transaction a task, without revisions, keys or provenance."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE rows (task INTEGER, kind TEXT, was TEXT, now TEXT)")
    for comparison in comparisons(tasks):
        connection.execute("BEGIN IMMEDIATE")
        rows = [(comparison.annotation.key.task_id, o.kind, o.text_from, o.text_to) for o in comparison.overrides]
        connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    connection.close()


def export(store: SqlStore) -> None:
    """All rows, to nowhere."""
    with Path(os.devnull).open("w", encoding="utf-8") as out:
        write_jsonl(store.overrides(), out)


def measure(store: SqlStore, tasks: int) -> dict[str, float]:
    """Seconds of each step."""
    return {
        "compare_s": timed(lambda: sum(1 for _ in comparisons(tasks))),
        "compare_and_log_s": timed(lambda: store.append_all(comparisons(tasks))),
        "log_again_s": timed(lambda: store.append_all(comparisons(tasks))),
        "export_jsonl_s": timed(lambda: export(store)),
    }


def main() -> None:
    """Measure, check, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--url", help="Database to write to; a new SQLite file when left out.")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(arguments.url or f"sqlite:///{folder}/log.db", clock=Noon())
        figures = measure(store, arguments.tasks)
        rows = sum(1 for _ in store.overrides(current=False))
        store.close()
        plain = min(arguments.tasks, 5_000)
        figures["plain_loop_s"] = timed(lambda: plain_loop(Path(folder) / "plain.db", plain)) * arguments.tasks / plain
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = {"tasks": arguments.tasks, "rows": rows, "peak_mib": round(peak_mib)}
    result |= {name: round(seconds, 2) for name, seconds in figures.items()}
    print(json.dumps(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result) + "\n", encoding="utf-8")
    if rows != arguments.tasks * ROWS:
        raise SystemExit("rows are missing or there twice")


if __name__ == "__main__":
    main()
