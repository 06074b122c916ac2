"""Annotations, exports and label configs that are broken or made to harm: they are read, or give a typed error."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import PROJECT, a_review, a_suggestion
from fakes import MemoryStore
from review_copilot.compare import compare
from review_copilot.domain.geometry import Box
from review_copilot.domain.override import OverrideKind, Subject, SubmittedAnnotation
from review_copilot.domain.review import TaskKey
from review_copilot.errors import CopilotError, LabelConfigError
from review_copilot.labelstudio.annotations import read_annotation
from review_copilot.labelstudio.exports import ExportReader, records
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.mapping import read_label_config
from review_copilot.labelstudio.payloads import read_predict, read_webhook
from review_copilot.labelstudio.regions import to_prediction
from review_copilot.labelstudio.tasks import read_task
from review_copilot.labelstudio.wire_values import LARGEST_ID, clean
from review_copilot.library import load_guideline
from review_copilot.store.codec import annotation_to_json

SEED, MUTATIONS = 16, 600
GUIDELINE = load_guideline("photo-quality")
LABELS = read_label_config(generate(GUIDELINE), GUIDELINE)
KEY = TaskKey(PROJECT, 5)
REVIEW = a_review("r1", a_suggestion("s1", box=Box(0.1, 0.1, 0.5, 0.5)), a_suggestion("s2", box=Box.whole()), key=KEY)
WHOLE: dict[str, Any] = {
    "id": 11,
    "created_at": "2026-03-02T12:02:00Z",
    "updated_at": "2026-03-02T12:02:00Z",
    "lead_time": 3.5,
    "completed_by": 1,
    "parent_prediction": 4,
    **json.loads(json.dumps(to_prediction(REVIEW, LABELS).payload)),
}
POISON: list[Any] = [
    None, True, False,
    0, -1, 2**63, -(2**63) - 1, 10**400, float("nan"), float("inf"), -1e308, 1e400, "", " ", "\0", "a\0b",
    "\ud83d", "x\udfffy", "9" * 5000, "x" * 100_000, [], {}, [[]], [None], {"id": {"id": {}}}, [{"value": None}],
    "2026-99-99", "-1000000000000", "\u202e", {"x": None, "y": 0, "width": None, "height": 100},
]  # fmt: skip


def _storable(annotation: SubmittedAnnotation) -> None:
    """What both databases can store: texts in UTF-8 without NUL, integers of 64 bits."""

    def walk(value: object) -> None:
        if isinstance(value, str):
            assert "\0" not in value
            value.encode()
        elif isinstance(value, int):
            assert -LARGEST_ID <= value <= LARGEST_ID
        elif isinstance(value, dict):
            for item in value.items():
                walk(item)
        elif isinstance(value, list | tuple):
            for item in value:
                walk(item)

    walk(annotation_to_json(annotation))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a JSON value with a key or index in it."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(entries):
        yield value, key
        yield from _places(item)


def _mutated(whole: object, rng: random.Random) -> Any:
    changed = json.loads(json.dumps(whole))
    for _ in range(rng.randrange(1, 4)):
        container, key = rng.choice(list(_places(changed)))
        if rng.random() < 0.15:
            del container[key]
        else:
            container[key] = rng.choice(POISON)
        if not list(_places(changed)):
            break
    return changed


def test_seeded_mutations_of_an_annotation_are_read_and_compared() -> None:
    rng = random.Random(SEED)
    for _ in range(MUTATIONS):
        raw = _mutated(WHOLE, rng)
        annotation = read_annotation(raw, key=KEY, labels=LABELS)
        _storable(annotation)
        compare(annotation, [REVIEW])


def test_seeded_mutations_of_exports_tasks_and_requests() -> None:
    rng = random.Random(SEED)
    task = {
        "id": 5,
        "project": 7,
        "data": {"image": "/data/upload/1/a.png"},
        "annotations": [WHOLE],
        "predictions": [WHOLE],
    }
    event = {"action": "ANNOTATION_CREATED", "project": {"id": 7}, "task": {"id": 5}, "annotation": WHOLE}
    request = {"tasks": [task], "project": "7.1", "label_config": generate(GUIDELINE), "params": {"context": WHOLE}}
    reader = ExportReader(labels=LABELS, guideline=GUIDELINE, instance="i")
    for _ in range(MUTATIONS):
        raw = _mutated(task, rng)
        read_task(raw, project=PROJECT, labels=LABELS)
        for exported in reader.tasks([raw]):
            for annotation in exported.annotations:
                _storable(annotation)
        try:
            seen = read_webhook(_mutated(event, rng))
            assert all(abs(task_id) <= LARGEST_ID for task_id in (*seen.task_ids, seen.project_id))
        except CopilotError:
            pass
        with suppress(CopilotError):
            read_predict(_mutated(request, rng), instance="i")


EXPORTS: dict[str, bytes] = {
    "deep lists": b"[" * 200_000,
    "deep objects": b'[{"a":' * 50_000,
    "5000 digits": b'[{"id": ' + b"9" * 5000 + b', "data": {}, "annotations": []}]',
    "beyond 64 bits": b'[{"id": 9223372036854775808, "data": {}, "annotations": []}]',
    "half a surrogate pair": b'[{"id": 1, "data": {"image": "\\ud83d"}, "annotations": [{"id": 1, "result": []}]}]',
    "NUL": b'[{"id": 1, "data": {"image": "a\\u0000b"}, "annotations": [{"id": 1, "result": []}]}]',
    "no UTF-8": b'[{"id": 1, "data": {"image": "\xff"}}]',
    "NaN": b'[{"id": NaN, "data": {}, "annotations": []}]',
    "cut off": b'[{"id": 1, "data": {"image": "a',
    "numbers": b"[1, 2, 3]",
    "one key twice": b'[{"id": 1, "id": 2, "data": {}, "data": []}]',
    "exponent": b'[{"id": 1e999999999, "data": {}, "annotations": []}]',
}


@pytest.mark.parametrize("data", EXPORTS.values(), ids=EXPORTS.keys())
def test_hostile_exports_are_read_or_said(data: bytes) -> None:
    reader = ExportReader(labels=LABELS, guideline=GUIDELINE, instance="i")
    try:
        found = list(reader.tasks(records(io.BytesIO(data))))
    except CopilotError:
        return
    assert all(task.problems or abs(task.key.task_id) <= LARGEST_ID for task in found if task.key)


CONFIGS: dict[str, str] = {
    "document type": '<!DOCTYPE View [<!ENTITY a "b">]><View/>',
    "entities": '<!DOCTYPE l [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><View>&b;</View>',
    "an outer file": '<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/passwd">]><View>&x;</View>',
    "half a surrogate pair": "<View>\ud800</View>",
    "NUL": "<View>\0</View>",
    "deep": "<View>" * 20_000,
    "deep and closed": "<View>" * 20_000 + "</View>" * 20_000,
    "many attributes": "<View " + " ".join(f'a{n}="1"' for n in range(20_000)) + "/>",
    "empty": "",
    "no XML": "hello",
    "another encoding": '<?xml version="1.0" encoding="utf-16"?><View/>',
    "unknown encoding": '<?xml version="1.0" encoding="none-such"?><View/>',
    "no boxes": '<View><Image name="i" value="$i"/></View>',
    "names itself": '<View><RectangleLabels name="a" toName="a"/></View>',
}


@pytest.mark.parametrize("xml", CONFIGS.values(), ids=CONFIGS.keys())
def test_hostile_label_configs_give_a_typed_error(xml: str) -> None:
    with pytest.raises(LabelConfigError):
        read_label_config(xml, GUIDELINE)


BROKEN: list[dict[str, Any]] = [
    {"x": None, "y": 0, "width": None, "height": 100},
    {"x": 10, "y": 10, "width": 50},
    {"x": "10", "y": "10", "width": "50", "height": "50"},
    {"x": float("nan"), "y": 10, "width": 50, "height": 50},
    {"x": 10, "y": 10, "width": float("inf"), "height": 50},
    {"x": True, "y": False, "width": True, "height": True},
    {"x": [10], "y": 10, "width": 50, "height": 50},
    {"x": 10**400, "y": 10, "width": 50, "height": 50},
    {},
]


@pytest.mark.parametrize("order", ["shape first", "fields first"])
@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_a_shape_without_coordinates_is_never_untouched(broken: dict[str, Any], order: str) -> None:
    """Its severity and rationale repeat the draft's place; that place is not the shape's."""
    raw = json.loads(json.dumps(WHOLE))
    for result in raw["result"]:
        if result["id"] == "s1" and result["type"] == "rectanglelabels":
            result["value"] = {**broken, "rectanglelabels": result["value"]["rectanglelabels"]}
    if order == "fields first":
        raw["result"].reverse()
    annotation = read_annotation(raw, key=KEY, labels=LABELS)
    assert [region.id for region in annotation.regions] == ["s2"]
    assert annotation.unplaced == ("s1",)
    assert 'The rectangle "s1" has no readable coordinates.' in annotation.dropped
    rows = [row for row in compare(annotation, [REVIEW]).overrides if row.subject is Subject.REGION]
    assert [(row.suggestion_id, row.kind) for row in rows] == [("s2", OverrideKind.UNTOUCHED)]
    assert annotation.content_hash != read_annotation(WHOLE, key=KEY, labels=LABELS).content_hash


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("polygonlabels", {"points": [[None, 1], ["a", 2]]}),
        ("ellipselabels", {"x": 1, "y": 2, "radiusX": None, "radiusY": 3}),
        ("keypointlabels", {"x": None, "y": 1}),
        ("brushlabels", {"format": "rle", "rle": [1, 2, None]}),
    ],
)
def test_no_shape_takes_its_place_from_a_field(kind: str, value: dict[str, Any]) -> None:
    field_value = {"x": 10, "y": 10, "width": 50, "height": 50, "choices": ["major"]}
    shape = {"id": "r", "from_name": "label", "to_name": "image", "type": kind, "value": {**value, kind: ["Noise"]}}
    severity = {"id": "r", "from_name": "severity", "to_name": "image", "type": "choices", "value": field_value}
    for results in ([shape, severity], [severity, shape]):
        annotation = read_annotation({"id": 1, "result": results}, key=KEY, labels=LABELS)
        assert annotation.regions == ()
        assert annotation.unplaced == ("r",)


@given(st.text(alphabet=st.characters(), max_size=50))
def test_cleaned_texts_can_be_stored(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert "\0" not in cleaned
    assert len(cleaned) == len(text)


def test_what_was_mutated_is_stored(store: MemoryStore) -> None:
    rng = random.Random(SEED)
    for number in range(100):
        annotation = read_annotation({**_mutated(WHOLE, rng), "id": number + 1}, key=KEY, labels=LABELS)
        store.append(compare(annotation, [REVIEW]))
