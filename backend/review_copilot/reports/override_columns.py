"""The schema of an exported override: one column after another, with its meaning. Knows no file format.

The documentation page is made from this table, so that the two cannot drift apart. A change of a column's meaning,
name or type gets a new `SCHEMA_VERSION`; a column added at the end does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from review_copilot.domain.override import LoggedOverride, OverrideKind

SCHEMA_VERSION = 2

Value: TypeAlias = str | int | float | bool | datetime | tuple[str, ...] | None


class ColumnType(StrEnum):
    """What a column holds; any but a list may be empty."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    TIME = "time"
    LIST = "list of texts"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an export.

    Attributes:
        name: As it stands in the file.
        type: What it holds.
        meaning: For the documentation.
        read: Its value in a row of the log.
    """

    name: str
    type: ColumnType
    meaning: str
    read: Callable[[LoggedOverride], Value]


def _column(name: str, type_: ColumnType, meaning: str, *, path: str = "") -> Column:
    """A column that is read along a path of attributes, its name when none is given; None as soon as one is None."""
    steps = (path or name).split(".")

    def read(row: LoggedOverride) -> Value:
        value: object = row
        for step in steps:
            value = getattr(value, step, None)
        return value  # type: ignore[return-value]  # every path below ends at such a value; the tests read them all

    return Column(name, type_, meaning, read)


def _integer(name: str, meaning: str, *, path: str = "") -> Column:
    return _column(name, ColumnType.INTEGER, meaning, path=path)


def _number(name: str, meaning: str, *, path: str = "") -> Column:
    return _column(name, ColumnType.NUMBER, meaning, path=path)


def _text(name: str, meaning: str, *, path: str = "") -> Column:
    return _column(name, ColumnType.TEXT, meaning, path=path)


def _boolean(name: str, meaning: str) -> Column:
    return _column(name, ColumnType.BOOLEAN, meaning)


def _time(name: str, meaning: str) -> Column:
    return _column(name, ColumnType.TIME, meaning)


def _list(name: str, meaning: str) -> Column:
    return _column(name, ColumnType.LIST, meaning, path=f"override.{name}")


def _of_override(make: Callable[..., Column], name: str, meaning: str) -> Column:
    return make(name, meaning, path=f"override.{name}")


def _of_provenance(name: str, meaning: str) -> Column:
    return _text(name, meaning, path=f"provenance.{name}")


def _of_box(name: str, meaning: str) -> Iterator[Column]:
    for side in ("x", "y", "width", "height"):
        yield _number(f"{name}_{side}", f"{side} of {meaning}", path=f"override.{name}.{side}")


COLUMNS: tuple[Column, ...] = (
    Column(
        "schema_version",
        ColumnType.INTEGER,
        "Version of this table; rises when a column changes its name, type or meaning.",
        lambda _: SCHEMA_VERSION,
    ),
    _integer("id", "Row id in the log, rising in the order of writing."),
    _text("instance", "Name of the Label Studio.", path="key.project.instance"),
    _integer("project_id", "Label Studio's project id.", path="key.project.project_id"),
    _text("project_created", "The project's creation stamp, seconds since 1970.", path="key.project.created"),
    _integer("task_id", "Label Studio's task id.", path="key.task_id"),
    _integer("annotation_id", "Label Studio's annotation id."),
    _integer("revision", "1 for the first content of the annotation that the log saw, then rising."),
    _boolean("current", "The row belongs to the newest revision of an annotation that still exists."),
    _boolean("deleted", "The annotation or its task was deleted afterwards."),
    _boolean("confirmed", "Read from Label Studio; false for a webhook's body that nobody could check."),
    _text("author", "Who made the annotation: user id, pseudonym, or a forgotten person's label."),
    _text("editor", "Who made this revision of it."),
    _time("created_at", "When the annotation was made."),
    _time("updated_at", "When this revision was made."),
    _time("logged_at", "When the row was written."),
    _number("lead_time_s", "Seconds spent on the annotation, later edits included."),
    _text("exposure", "What the reviewer saw: shown, withheld, failed, not_ready, offered; empty without a review."),
    _of_provenance("inspector", "Which inspector drafted."),
    _of_provenance("model_version", "Hash of inspector, model, prompt, schema, guideline revision and examples."),
    _of_provenance("rollout", "Label under which the drafts were stored."),
    _of_provenance("guideline_id", "Which guideline."),
    _of_provenance("guideline_revision", "Hash of its content."),
    _of_provenance("prompt_hash", "Hash of the prompt; empty where none was sent."),
    _of_override(_text, "review_id", "Review that the suggestion belongs to."),
    _of_override(_text, "subject", "What the row is about: region, verdict, summary, feedback, task (a skipped one)."),
    _of_override(
        _text,
        "kind",
        "What became of it: untouched, confirmed, edited, rejected, added; taken, not_taken, left_over for "
        "Magic; skipped for a skipped task (rejected in version 1).",
    ),
    _of_override(_text, "suggestion_id", "Region id of the suggestion; empty for an added region."),
    _of_override(_text, "region_id", "Region id as submitted; empty for a deleted one."),
    _of_override(_text, "criterion_from", "Suggested criterion."),
    _of_override(_text, "criterion_to", "Submitted criterion."),
    _of_override(_text, "severity_from", "Suggested severity; the drafted verdict in a verdict row."),
    _of_override(_text, "severity_to", "Submitted severity; the verdict in a verdict row."),
    _list("edits", "What was edited: place, criterion, severity, rationale."),
    _of_override(_number, "iou", "Overlap of suggested and submitted box, 0 to 1."),
    _of_override(_text, "text_from", "Drafted rationale or summary."),
    _of_override(_text, "text_to", "Submitted one."),
    _of_override(_number, "text_similarity", "Share of the drafted words kept in their order, 0 to 1."),
    _of_override(_integer, "text_distance", "Characters inserted, deleted or replaced."),
    _list("reasons", "Override reasons that were ticked; in a feedback row what was said of the guideline."),
    _of_override(_text, "note", "Free text beside them."),
    _of_override(_number, "score", "The suggestion's score, 0 to 1."),
    *_of_box("box_from", "the suggested box, as a fraction of the upright image."),
    *_of_box("box_to", "the submitted box, as a fraction of the upright image; may reach past 0 to 1."),
)


def values(row: LoggedOverride) -> Iterator[Value]:
    """The values of a row of the log, in the order of the columns."""
    return (column.read(row) for column in COLUMNS)


def narrowed(
    rows: Iterable[LoggedOverride],
    *,
    criterion: str | None = None,
    kind: OverrideKind | None = None,
    reviewers: Collection[str] | None = None,
) -> Iterator[LoggedOverride]:
    """The rows that are wanted; None for any.

    Args:
        rows: Rows of the log.
        criterion: Suggested or submitted criterion id.
        kind: What became of the suggestion.
        reviewers: Author or editor, as the log names them: any of these names.
    """
    for row in rows:
        override = row.override
        if criterion is not None and criterion not in (override.criterion_from, override.criterion_to):
            continue
        if kind is not None and override.kind is not kind:
            continue
        if reviewers is None or row.author in reviewers or row.editor in reviewers:
            yield row


_PAGE_HEAD = f"""# Exported overrides

Schema version {SCHEMA_VERSION}. One row for each thing suggested beside what became of it, and for each thing added.

- **CSV**: UTF-8, comma, all texts in quotes. Lists are joined by `|`. A text that a spreadsheet would take for a
  formula (it begins with `=`, `+`, `-`, `@`, a tab or a line break, also after white space) gets an apostrophe in
  front; `review-copilot study` takes it off again.
- **JSONL**: one object a line; lists as lists; nothing is changed.
- **Parquet**: typed columns, times as microseconds in UTC. Needs pyarrow:
  `pip install "label-studio-review-copilot[parquet]"`.

Times are UTC, in text `2026-03-02T12:00:00+00:00`. An empty cell, or `null`, means: there is none, or nobody said.

| Column | Type | Meaning |
| --- | --- | --- |
"""


_TRAINING_DATA = """
## Training data

Beside the table, `--format` writes whole annotations as they stand now. What is left out, and why, is counted on
standard error. `--project`, `--since` and `--reviewer` narrow it.

- **finetune**: one chat example a line from each annotation that a reviewer confirmed or corrected: the system message
  and the question that the copilot would ask by the configured guideline, the image's reference as Label Studio holds
  it (it may need the token), and the reply as the reviewer left it; a drafted summary that the findings no longer bear
  out is made anew. Boxes are written as the profile of `REVIEW_COPILOT_MODEL` says. An example shows the whole image
  and none of the task's other text, so ask the trained model with `REVIEW_COPILOT_MODEL_CLOSE_UPS=0`. `--untouched`
  adds drafts that nobody said a word about.
- **coco**: one data set of the final boxes, in pixels of the upright image, without those marked "not a defect".
  `attributes` holds severity, rationale, shape and ids.
"""


def schema_page() -> str:
    """The documentation of the export, in Markdown."""
    rows = (f"| `{column.name}` | {column.type.value} | {column.meaning} |\n" for column in COLUMNS)
    return _PAGE_HEAD + "".join(rows) + _TRAINING_DATA
