"""The simulator's export, read and compared by the product, says what its fast road to the log says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import study_export
from builders import NOON, PROJECT
from review_copilot.compare import compare
from review_copilot.domain.guideline import Verdict
from review_copilot.domain.override import Override, Subject
from review_copilot.domain.review import Exposure, Review, TaskKey
from review_copilot.domain.suggestion import Scope, Suggestion
from review_copilot.labelstudio.annotations import read_annotation
from review_copilot.labelstudio.mapping import read_label_config
from review_copilot.library import load_guideline, shipped_label_config
from study_rows import PROVENANCE, logged_rows
from study_world import Plan, ReviewedTask, make_world


def review_of(task: ReviewedTask, labels: dict[str, str]) -> Review:
    suggestions = tuple(
        Suggestion(
            s.id, s.criterion, labels[s.criterion], s.severity, s.score, Scope.REGION, s.box, s.text, {}, "made up"
        )
        for s in task.shown
    )
    key = TaskKey(PROJECT, task.id)
    return Review(
        "r1", key, suggestions, Verdict.PASS, "", PROVENANCE, Exposure.SHOWN, NOON.replace(year=2025), 1600, 1200
    )


def said(override: Override) -> tuple[object, ...]:
    """What the study reads of a row."""
    return (
        override.kind,
        override.suggestion_id,
        override.criterion_from,
        override.criterion_to,
        override.severity_to,
        tuple(sorted(override.edits)),
        override.reasons,
    )


def test_the_export_compared_by_the_product_gives_the_rows_of_the_fast_road(tmp_path: Path) -> None:
    plan = Plan(seed=4, cause="ambiguous", rate=0.5, tasks=120)
    world, labels = make_world(plan), study_export.labels_of("photo-quality")
    file = tmp_path / "export.json"
    study_export.main([str(file), "--cause", plan.cause, "--rate", "0.5", "--seed", "4", "--tasks", "120"])
    mapped = read_label_config(shipped_label_config("photo-quality"), load_guideline("photo-quality"))
    found: Counter[tuple[object, ...]] = Counter()
    for raw, task in zip(json.loads(file.read_text()), world.tasks, strict=True):
        for annotation in raw["annotations"]:
            read = read_annotation(annotation, key=TaskKey(PROJECT, task.id), labels=mapped)
            rows = compare(read, [review_of(task, labels)]).overrides
            found.update((read.annotation_id, said(row)) for row in rows if row.subject is Subject.REGION)
    # A deleted region cannot carry a reason: the fast road keeps it, the wire does not.
    expected = Counter(
        (row.annotation_id, (*said(row.override)[:-1], row.override.reasons if row.override.region_id else ()))
        for row in logged_rows(world)
    )
    assert found == expected


def test_the_truth_is_written_beside_the_export(tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    study_export.main([str(tmp_path / "e.json"), "--cause", "confused", "--tasks", "20", "--truth", str(truth)])
    planted = json.loads(truth.read_text())
    assert (planted["cause"], len(planted["criteria"])) == ("confused", 2)
