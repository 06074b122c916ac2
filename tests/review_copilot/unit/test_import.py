"""Exports of any age become rows of the log: predictions are what was shown, and what is broken costs nobody else."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest

from builders import NOON, PROJECT, a_review, a_suggestion, task_key
from fake_label_studio import FakeWorkspace
from fakes import MemoryStore
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.override import Aspect, OverrideKind, Subject
from review_copilot.domain.review import Review
from review_copilot.errors import BadRequest
from review_copilot.flows.import_log import ImportReport, import_tasks
from review_copilot.flows.submissions import submissions
from review_copilot.flows.sweep import sweep_task
from review_copilot.labelstudio.annotations import read_annotation
from review_copilot.labelstudio.exports import ExportReader, records
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.mapping import read_label_config
from review_copilot.labelstudio.read_predictions import INSPECTOR
from review_copilot.labelstudio.regions import to_prediction
from review_copilot.library import load_guideline
from review_copilot.ports import TaskState

GUIDELINE = load_guideline("photo-quality")
LABELS = read_label_config(generate(GUIDELINE), GUIDELINE)
REVIEW = a_review(
    "r1",
    a_suggestion("s1", score=0.7),
    a_suggestion("s2", box=Box.whole(), criterion_id="PQ-04", label="Under-exposed", severity=Severity.CRITICAL),
)


def prediction(review: Review = REVIEW, *, number: int = 501, minute: int = 0) -> dict[str, Any]:
    """The prediction as a full export holds it."""
    at = (NOON + timedelta(minutes=minute)).isoformat()
    return {"id": number, "created_at": at, **to_prediction(review, LABELS).payload}


def annotation(number: int, result: list[Any], *, minute: int = 10, **more: Any) -> dict[str, Any]:
    at = (NOON + timedelta(minutes=minute)).isoformat()
    return {"id": number, "completed_by": 3, "created_at": at, "updated_at": at, "lead_time": 30.0, "result": result,
            "was_cancelled": False, **more}  # fmt: skip


def task(number: int, *annotations: Any, predictions: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    shown = [prediction()] if predictions is None else predictions
    return {"id": number, "data": {"image": "x.png"}, "project": 7, "annotations": list(annotations),
            "predictions": shown, **more}  # fmt: skip


def run(store: MemoryStore, export: object) -> ImportReport:
    data = export if isinstance(export, bytes) else json.dumps(export).encode()
    reader = ExportReader(labels=LABELS, guideline=GUIDELINE, instance="file:last-year", project=PROJECT)
    return import_tasks(reader.tasks(records(io.BytesIO(data))), store=store)


def test_a_prediction_is_read_back_as_the_review_that_it_shows(store: MemoryStore) -> None:
    """Submitted as it is, everything is untouched: places, criteria, severities, texts, verdict, summary."""
    report = run(store, [task(1, annotation(11, prediction()["result"]))])
    assert (report.tasks, report.skipped, report.problems) == (1, 0, [])
    rows = list(store.overrides())
    assert {row.override.kind for row in rows} == {OverrideKind.UNTOUCHED}
    assert [row.override.subject for row in rows].count(Subject.REGION) == 2
    assert {Subject.VERDICT, Subject.SUMMARY} < {row.override.subject for row in rows}
    origin = rows[0].provenance
    assert origin is not None
    assert (origin.inspector, origin.rollout) == (INSPECTOR, REVIEW.provenance.rollout)
    assert origin.guideline_revision == REVIEW.provenance.guideline_revision
    scores = {row.override.suggestion_id: row.override.score for row in rows}
    assert scores["s1"] == 0.7


def test_doing_it_twice_changes_nothing(store: MemoryStore) -> None:
    export = [task(n, annotation(10 + n, prediction()["result"][:1])) for n in range(1, 4)]
    assert run(store, export).revisions == 3
    assert run(store, export).revisions == 0


def test_all_deleted_without_a_parent_is_still_rejected(store: MemoryStore) -> None:
    """Also where the file's times say that the prediction was imported after the work was done."""
    run(store, [task(1, annotation(11, [], minute=1), predictions=[prediction(minute=50)])])
    rejected = [row for row in store.overrides() if row.override.kind is OverrideKind.REJECTED]
    assert {row.override.suggestion_id for row in rejected} >= {"s1", "s2"}


def test_versions_are_told_apart_by_the_parent(store: MemoryStore) -> None:
    other = a_review("r2", a_suggestion("t1"))
    younger = prediction(other, number=502, minute=5) | {"model_version": "second"}
    work = annotation(11, [], parent_prediction=501), annotation(12, [], parent_prediction=502)
    run(store, [task(1, *work, predictions=[prediction(), younger])])
    seen = {row.annotation_id: row.provenance and row.provenance.rollout for row in store.overrides()}
    assert seen == {11: REVIEW.provenance.rollout, 12: "second"}


def test_old_exports_are_read(store: MemoryStore) -> None:
    """Completions, times in seconds, people by name, the prediction inside the annotation, results nested too deep."""
    old = {
        "id": 1,
        "data": {"image": "x.png"},
        "completions": [
            {"id": 11, "created_at": NOON.timestamp() + 600, "completed_by": "ann@example.org",
             "result": prediction()["result"][:3], "prediction": prediction()},
            {"result": [[{"type": "choices"}]]},
        ],
    }  # fmt: skip
    report = run(store, old)
    assert report.annotations == 2
    assert report.problems == ["Task 1: Result 1 is not an object."]
    rows = [row for row in store.overrides() if row.annotation_id == 11]
    assert {row.author for row in rows} == {"ann@example.org"}
    assert OverrideKind.REJECTED in {row.override.kind for row in rows}
    assert all(number < 0 for number in store.living(task_key(1)) - {11})


def test_what_no_prediction_fills_is_not_compared(store: MemoryStore) -> None:
    """Another model drafts boxes alone: that nobody set a severity or a verdict is no change."""
    box = prediction()["result"][:1]
    bare = {"id": 5, "model_version": "yolo", "score": 0.9, "result": box}
    run(store, [task(1, annotation(11, box), predictions=[bare])])
    rows = list(store.overrides())
    assert [(row.override.subject, row.override.kind) for row in rows] == [(Subject.REGION, OverrideKind.UNTOUCHED)]


def test_edits_are_found_as_in_the_live_log(store: MemoryStore) -> None:
    result = prediction()["result"]
    for entry in result:
        if entry["id"] == "s1" and entry["from_name"] == "severity":
            entry["value"]["choices"] = ["minor"]
    reasons = next(e for e in result if e["id"] == "s2" and e["from_name"] == "severity")
    result.append({**reasons, "from_name": "reasons", "value": {**reasons["value"], "choices": ["not a defect"]}})
    run(store, [task(1, annotation(11, result))])
    rows = {row.override.suggestion_id: row.override for row in store.overrides() if row.override.suggestion_id}
    assert rows["s1"].edits == (Aspect.SEVERITY,)
    assert (rows["s2"].kind, rows["s2"].reasons) == (OverrideKind.REJECTED, ("not_a_defect",))


def test_predictions_by_id_alone_are_skipped_unless_the_log_knows_what_they_showed(store: MemoryStore) -> None:
    export = [task(1, annotation(11, []), predictions=[501]), task(2, annotation(12, []), predictions=[502])]
    store.remember([a_review("kept", a_suggestion("s9"), key=task_key(2))])
    report = run(store, export)
    assert (report.tasks, report.ids_only, report.skipped) == (2, 1, 1)
    assert {row.key.task_id for row in store.overrides()} == {2}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (7, "Record 2 is not an object."),
        ({"result": []}, "Record 2 is an annotation or a prediction without its task."),
        ({"image": "x.png", "label": []}, "Record 2 is not a task: it has neither data nor annotations."),
        (task(2, {"id": 12, "result": [{"type": "rectanglelabels", "value": {"x": "left"}}]}), "Task 2: "),
        (task(2, annotation(11, [])), "Task 2: annotation 11 also belongs to task 1; it gets an id of its own."),
    ],
)
def test_a_malformed_record_costs_its_neighbours_nothing(store: MemoryStore, broken: object, said: str) -> None:
    report = run(store, [task(1, annotation(11, [])), broken, task(3, annotation(13, []))])
    assert [problem for problem in report.problems if problem.startswith(said)]
    assert store.living(task_key(1)) == {11}
    assert store.living(task_key(3)) == {13}


def test_a_file_that_breaks_off_keeps_what_came_before(store: MemoryStore) -> None:
    whole = json.dumps([task(1, annotation(11, [])), task(2, annotation(12, []))]).encode()
    report = run(store, b"\xef\xbb\xbf" + whole[:-40])
    assert store.living(task_key(1)) == {11}
    assert report.problems[0].startswith("The file is truncated after record 1: ")


@pytest.mark.parametrize("data", [b"", b"id,image\n1,x.png\n", b"null"])
def test_what_is_no_export_is_told_so(store: MemoryStore, data: bytes) -> None:
    with pytest.raises(BadRequest, match="JSON"):
        run(store, data)


def test_a_sweep_after_an_import_reads_the_same_into_it(store: MemoryStore) -> None:
    """Somebody else's boxes, without severity, verdict or a known label: the log remembers what they left open."""
    value = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["Cat"]}
    foreign = {"id": "b", "from_name": "label", "to_name": "image", "type": "rectanglelabels", "value": value}
    drafts = [{"id": 501, "model_version": "yolo", "result": [foreign]}]
    left = annotation(11, [foreign])
    run(store, [task(1, left, predictions=drafts)])
    before = list(store.overrides(current=False))
    assert [row.override.kind for row in before] == [OverrideKind.UNTOUCHED]
    read = read_annotation(left, key=task_key(1), labels=LABELS)
    state = TaskState(task_key(1), NOON, (read,))
    report = sweep_task(state, workspace=FakeWorkspace(PROJECT, {1: "1.png"}), store=store)
    assert (report.annotations, report.revisions) == (1, 0)
    assert list(store.overrides(current=False)) == before


def test_last_years_work_can_be_trained_on(store: MemoryStore) -> None:
    """Place and size of the image come from the file: the prediction's, else what the editor wrote beside the boxes."""
    signed = {"image": "https://images.test/x.png?Signature=secret"}
    kept = {**prediction()["result"][0], "original_width": 400, "original_height": 300}
    run(store, [task(1, annotation(11, [kept]), data=signed), task(2, annotation(12, [kept]), predictions=[])])
    first, second = submissions(store)
    assert first.review is not None
    assert first.review.image == "https://images.test/x.png"
    assert first.image_size_px == (REVIEW.image_width_px, REVIEW.image_height_px)
    assert (second.review, second.image_size_px) == (None, (400, 300))
