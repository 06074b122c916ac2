"""Read Label Studio's JSON exports of any age, record by record. Knows no store.

Only one record is in memory at a time. A record that cannot be read is reported and skipped; the records around it
are not affected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO

import ijson

from review_copilot.compare.choose_review import began_at
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.override import SubmittedAnnotation
from review_copilot.domain.redaction import printable
from review_copilot.domain.review import ProjectKey, Review, TaskKey
from review_copilot.errors import BadRequest
from review_copilot.flows.import_log import ExportedTask
from review_copilot.labelstudio.annotations import raw_annotations, read_annotation, read_moment
from review_copilot.labelstudio.mapping import LabelMap
from review_copilot.labelstudio.read_predictions import LONG_AGO, ReadPrediction, read_prediction
from review_copilot.labelstudio.shallow_json import MAX_DEPTH, ShallowFile, TooDeep
from review_copilot.labelstudio.tasks import read_task
from review_copilot.labelstudio.wire_values import whole_number

_MARKS: Mapping[str, type] = {"annotations": list, "completions": list, "predictions": list, "data": dict}
"""A record with one of these fields is a task."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class ExportReader:
    """How to read the records of one export.

    Attributes:
        labels: The label config that the annotations were made with.
        guideline: The guideline that defines the criteria.
        instance: Name of this Label Studio in the log.
        project: Project of every record; None to use the project named in each record.
    """

    labels: LabelMap
    guideline: Guideline
    instance: str
    project: ProjectKey | None = None
    _owner: dict[int, int] = field(default_factory=dict)

    def tasks(self, records: Iterable[object]) -> Iterator[ExportedTask]:
        """The tasks of the records, in order; one per record, readable or not.

        Args:
            records: Records from `records` or from Label Studio's task list.
        """
        for position, record in enumerate(records, start=1):
            yield self._task(record, position=position)

    def _task(self, record: object, *, position: int) -> ExportedTask:
        where = f"Record {position}"
        if isinstance(record, BrokenOff):
            return ExportedTask(None, problems=(record.said,))
        if not isinstance(record, Mapping):
            return ExportedTask(None, problems=(f"{where} is not an object.",))
        if not any(isinstance(record.get(name), form) for name, form in _MARKS.items()) or "result" in record:
            return ExportedTask(None, problems=(f"{where} {_what_it_is(record)}",))
        key = self._key(record)
        where = f"Task {key.task_id}" if key.task_id > 0 else where
        problems: list[str] = []
        annotations: list[SubmittedAnnotation] = []
        for index, raw in enumerate(raw_annotations(record)):
            annotation = read_annotation(raw, key=key, labels=self.labels)
            problems.extend(f"{where}: {said}" for said in annotation.dropped)
            annotations.append(self._with_id(annotation, index=index, where=where, problems=problems))
        raw_predictions = record.get("predictions")
        listed = raw_predictions if isinstance(raw_predictions, list) else []
        full = _with_results(listed) or _with_results(raw.get("prediction") for raw in raw_annotations(record))
        made_at = read_moment(record.get("created_at")) or LONG_AGO
        image = printable(read_task(record, project=key.project, labels=self.labels).image)
        read = [
            read_prediction(raw, key=key, labels=self.labels, guideline=self.guideline, made_at=made_at, image=image)
            for raw in full
        ]
        problems.extend(f"{where}, prediction: {said}" for one in read for said in one.problems)
        return ExportedTask(
            key=key,
            annotations=tuple(annotations),
            reviews=_there_in_time(read, annotations),
            predictions=tuple(one.stored for one in read if one.stored is not None),
            ids_only=bool(listed) and not full,
            problems=tuple(dict.fromkeys(problems)),
        )

    def _key(self, record: Mapping[str, object]) -> TaskKey:
        project = self.project or ProjectKey(self.instance, whole_number(record.get("project")), "")
        return TaskKey(project, whole_number(record.get("id")) or _made_up(record.get("data"), record.get("inner_id")))

    def _with_id(
        self, annotation: SubmittedAnnotation, *, index: int, where: str, problems: list[str]
    ) -> SubmittedAnnotation:
        """The annotation with an id that no other task's annotation has; a missing id is generated."""
        task_id, number = annotation.key.task_id, annotation.annotation_id
        if number and self._owner.setdefault(number, task_id) != task_id:
            problems.append(
                f"{where}: annotation {number} also belongs to task {self._owner[number]}; it gets an id of its own."
            )
            number = 0
        if number:
            return annotation
        return replace(annotation, annotation_id=_made_up(task_id, index, annotation.annotation_id))


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """Placeholder for the rest of a file that is not valid JSON."""

    said: str


def records(file: BinaryIO) -> Iterator[object]:
    """The records of an export, one in memory at a time; the last one is `BrokenOff` if the file is truncated.

    Args:
        file: A JSON list of tasks, or a single task.

    Raises:
        BadRequest: The file is empty or is not JSON.
    """
    start = file.read(4096)
    head = start.removeprefix(_BOM).lstrip()
    if head[:1] not in {b"[", b"{"}:
        raise BadRequest(
            "The file is not a JSON export of Label Studio.", hint="Export the project in JSON format, not CSV or TSV."
        )
    file.seek(len(_BOM) if start.startswith(_BOM) else 0)
    count = 0
    try:
        for record in ijson.items(ShallowFile(file), "item" if head[:1] == b"[" else "", use_float=True):
            count += 1
            yield record
    except TooDeep:
        yield BrokenOff(
            f"The file is nested more than {MAX_DEPTH} levels deep after record {count}; nothing more is read."
        )
    except (ijson.JSONError, ValueError, OverflowError) as error:
        yield BrokenOff(f"The file is truncated after record {count}: {str(error).splitlines()[0]}.")


def _with_results(raw: Iterable[object]) -> list[Mapping[str, object]]:
    """The predictions with content; old exports repeat them inside each annotation."""
    found = [one for one in raw if isinstance(one, Mapping) and isinstance(one.get("result"), list)]
    return list({one.get("id") or index: one for index, one in enumerate(found)}.values())


def _there_in_time(read: list[ReadPrediction], annotations: list[SubmittedAnnotation]) -> tuple[Review, ...]:
    """The reviews; if all are dated after the annotations, the oldest is assumed to have existed before them.

    A prediction in the file is what the reviewer saw, and times in files are often those of an import.
    """
    reviews = sorted((one.review for one in read), key=lambda review: review.created_at)
    began: list[datetime] = [at for annotation in annotations if (at := began_at(annotation)) is not None]
    if reviews and began and reviews[0].created_at > min(began):
        reviews[0] = replace(reviews[0], created_at=min(began))
    return tuple(reviews)


def _made_up(*content: object) -> int:
    """A stable id for something without one: negative, so that it never equals an id of Label Studio."""
    digest = hashlib.blake2b(json.dumps(content, sort_keys=True, default=str).encode(), digest_size=7).digest()
    return -1 - int.from_bytes(digest, "big")


def _what_it_is(record: Mapping[str, Any]) -> str:
    if isinstance(record.get("result"), list):
        return "is an annotation or a prediction without its task."
    return "is not a task: it has neither data nor annotations. Export in JSON format, not JSON-MIN."
