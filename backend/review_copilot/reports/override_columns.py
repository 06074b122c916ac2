"""The columns of exported overrides, with their meanings. Knows no file format.

The documentation page is generated from this table, so that the two always agree. If you change a column's meaning,
name, or type, increase `SCHEMA_VERSION`; a new column at the end does not need that.
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
    """Type of a column; every type except a list can be empty."""

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
        name: Its name in the file.
        type: The type of its values.
        meaning: For the documentation.
        read: Gets its value from a row of the log.
    """

    name: str
    type: ColumnType
    meaning: str
    read: Callable[[LoggedOverride], Value]


def _column(name: str, type_: ColumnType, meaning: str, *, path: str = "") -> Column:
    """A column read along a path of attributes (default: its name); None as soon as one attribute is None."""
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
        "Version of this table. It increases when a column's name, type, or meaning changes.",
        lambda _: SCHEMA_VERSION,
    ),
    _integer("id", "Row id in the log, ascending in the order of writing."),
    _text("instance", "Name of the Label Studio instance.", path="key.project.instance"),
    _integer("project_id", "Label Studio's project id.", path="key.project.project_id"),
    _text("project_created", "When the project was created, in seconds since 1970.", path="key.project.created"),
    _integer("task_id", "Label Studio's task id.", path="key.task_id"),
    _integer("annotation_id", "Label Studio's annotation id."),
    _integer("revision", "Number of the annotation's version in the log, starting at 1."),
    _boolean("current", "True if the row belongs to the newest revision of an existing annotation."),
    _boolean("deleted", "True if the annotation or its task was deleted later."),
    _boolean("confirmed", "True if read from Label Studio; false if read from a webhook that was not verified."),
    _text("author", "Creator of the annotation: user id, pseudonym, or the label of a forgotten person."),
    _text("editor", "User who made this revision."),
    _time("created_at", "When the annotation was created."),
    _time("updated_at", "When this revision was made."),
    _time("logged_at", "When the row was written."),
    _number("lead_time_s", "Seconds spent on the annotation, including later edits."),
    _text(
        "exposure",
        "What the reviewer saw of the draft: shown, withheld, failed, not_ready, or offered; empty without a draft.",
    ),
    _of_provenance("inspector", "Name of the inspector."),
    _of_provenance("model_version", "Hash of inspector, model, prompt, schema, guideline revision, and examples."),
    _of_provenance("rollout", "Roll-out label of the draft."),
    _of_provenance("guideline_id", "Id of the guideline."),
    _of_provenance("guideline_revision", "Hash of the guideline's content."),
    _of_provenance("prompt_hash", "Hash of the prompt; empty if none was sent."),
    _of_override(_text, "review_id", "Id of the draft that the suggestion belongs to."),
    _of_override(
        _text, "subject", "What the row is about: region, verdict, summary, feedback, or task (a skipped one)."
    ),
    _of_override(
        _text,
        "kind",
        "Outcome: untouched, confirmed, edited, rejected, or added; for Magic: taken, not_taken, or left_over; "
        "for a skipped task: skipped (rejected in version 1).",
    ),
    _of_override(_text, "suggestion_id", "Region id of the suggestion; empty for an added region."),
    _of_override(_text, "region_id", "Region id as submitted; empty for a deleted region."),
    _of_override(_text, "criterion_from", "Suggested criterion."),
    _of_override(_text, "criterion_to", "Submitted criterion."),
    _of_override(_text, "severity_from", "Suggested severity; the drafted verdict in a verdict row."),
    _of_override(_text, "severity_to", "Submitted severity; the verdict in a verdict row."),
    _list("edits", "What was edited: place, criterion, severity, rationale."),
    _of_override(_number, "iou", "Overlap of the suggested and the submitted box (intersection over union), 0 to 1."),
    _of_override(_text, "text_from", "Drafted rationale or summary."),
    _of_override(_text, "text_to", "Submitted rationale or summary."),
    _of_override(_number, "text_similarity", "Share of the drafted words that were kept in order, 0 to 1."),
    _of_override(_integer, "text_distance", "Number of characters inserted, deleted, or replaced."),
    _list("reasons", "Reasons that the reviewer chose; in a feedback row, the guideline feedback."),
    _of_override(_text, "note", "The reviewer's note on the reasons."),
    _of_override(_number, "score", "The suggestion's score, 0 to 1."),
    *_of_box("box_from", "the suggested box, as a fraction of the upright image."),
    *_of_box("box_to", "the submitted box, as a fraction of the upright image; may be outside 0 to 1."),
    _column(
        "unexamined",
        ColumnType.LIST,
        "Criteria that nobody examined for the draft: a rate of 0 says nothing about them. Empty in rows of releases "
        "that did not record it.",
    ),
    _text("left_out", "What the draft lacks, in one line: not examined, dropped, or noted about the reply."),
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
    """Filter rows; None means no filter.

    Args:
        rows: Rows of the log.
        criterion: Suggested or submitted criterion id.
        kind: The outcome.
        reviewers: Names of authors or editors in the log; a row matches any of them.
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

Schema version {SCHEMA_VERSION}. The table has one row for each suggestion with its outcome, and one for each addition.

- **CSV**: UTF-8, separated by commas, with all text in quotes. Lists are joined by `|`. Text that a spreadsheet would
  read as a formula (it starts with `=`, `+`, `-`, `@`, a tab, or a line break, also after white space) gets a leading
  apostrophe, which `review-copilot study` removes again.
- **JSONL**: one object per line, with lists as lists and unchanged text.
- **Parquet**: typed columns, with times as microseconds in UTC. It needs pyarrow:
  `pip install "label-studio-review-copilot[parquet]"`.

Times are in UTC; as text, `2026-03-02T12:00:00+00:00`. An empty cell or `null` means that there is no value.

| Column | Type | Meaning |
| --- | --- | --- |
"""


_TRAINING_DATA = """
## Training data

`--format` can also write whole annotations in their current state. Skipped items are counted, with the reason, on
standard error. `--project`, `--since`, and `--reviewer` filter the annotations.

- **finetune**: one chat example per line, for each annotation that a reviewer confirmed or corrected: the system
  message and the question that the copilot would send with the configured guideline, the image's reference in Label
  Studio (it may need the token), and the reply as the reviewer submitted it. A drafted summary that no longer matches
  the findings is written again. Boxes have the format of the profile of `REVIEW_COPILOT_MODEL`. An example contains the
  whole image and none of the task's other text, so run the trained model with `REVIEW_COPILOT_MODEL_CLOSE_UPS=0`.
  `--untouched` also includes unreviewed drafts.
- **coco**: one data set of the final boxes, in pixels of the upright image, without those marked "not a defect".
  `attributes` contains severity, rationale, shape, and ids.
"""


def schema_page() -> str:
    """The documentation of the export, in Markdown."""
    rows = (f"| `{column.name}` | {column.type.value} | {column.meaning} |\n" for column in COLUMNS)
    return _PAGE_HEAD + "".join(rows) + _TRAINING_DATA
