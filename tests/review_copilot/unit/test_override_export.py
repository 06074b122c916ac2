"""Rows of the log as files."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from builders import a_provenance, at, task_key
from review_copilot.domain.geometry import Box
from review_copilot.domain.override import Aspect, LoggedOverride, Override, OverrideKind, Subject
from review_copilot.reports import write_overrides as exports
from review_copilot.reports.override_columns import COLUMNS, SCHEMA_VERSION, narrowed, schema_page
from review_copilot.reports.read_overrides import calculated_safely

EDITED = Override(
    subject=Subject.REGION,
    kind=OverrideKind.EDITED,
    suggestion_id="s1",
    region_id="s1",
    criterion_from="PQ-01",
    criterion_to="PQ-02",
    severity_from="major",
    severity_to="minor",
    text_from="Soft, left third.",
    text_to='He said "no";\nthe sky – is blurred',
    edits=(Aspect.PLACE, Aspect.CRITERION),
    iou=0.75,
    text_similarity=0.5,
    text_distance=7,
    reasons=("wrong_criterion", "guideline_unclear"),
    score=0.8,
    box_from=Box(0.1, 0.2, 0.3, 0.4),
    box_to=Box(-0.1, 0.2, 0.3, 0.4),
    review_id="r1",
)
ROW = LoggedOverride(
    id=1,
    revision=2,
    current=True,
    key=task_key(),
    annotation_id=11,
    override=EDITED,
    author="3",
    editor="4",
    created_at=at(0),
    updated_at=at(60.5),
    logged_at=at(90),
    lead_time_s=12.5,
    provenance=a_provenance(),
    exposure="shown",
    unexamined=("PQ-02", "PQ-03"),
    left_out="Not examined: PQ-02, PQ-03",
)
BARE = replace(
    ROW,
    id=2,
    override=Override(subject=Subject.FEEDBACK, kind=OverrideKind.ADDED),
    created_at=None,
    updated_at=None,
    lead_time_s=None,
    provenance=None,
    exposure="",
    unexamined=(),
    left_out="",
)


def as_csv(*rows: LoggedOverride) -> list[dict[str, str]]:
    out = io.StringIO(newline="")
    assert exports.write_csv(rows, out) == len(rows)
    return list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))


def as_jsonl(*rows: LoggedOverride) -> list[dict[str, object]]:
    out = io.StringIO()
    assert exports.write_jsonl(rows, out) == len(rows)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_csv_holds_everything() -> None:
    first, second = as_csv(ROW, BARE)
    assert list(first) == [column.name for column in COLUMNS]
    assert first["edits"] == "place|criterion"
    assert (first["unexamined"], first["left_out"]) == ("PQ-02|PQ-03", "Not examined: PQ-02, PQ-03")
    assert (second["unexamined"], second["left_out"]) == ("", "")
    assert first["text_to"] == EDITED.text_to
    assert (first["instance"], first["guideline_revision"]) == (task_key().project.instance, "9f2c1a77aa01")
    assert (first["updated_at"], first["current"]) == ("2026-03-02T12:01:00.500000+00:00", "true")
    assert (first["box_to_x"], first["iou"]) == ("-0.1", "0.75")
    assert (second["created_at"], second["lead_time_s"], second["inspector"], second["iou"]) == ("", "", "", "")


def test_jsonl_holds_everything() -> None:
    first, second = as_jsonl(ROW, BARE)
    assert list(first) == [column.name for column in COLUMNS]
    assert (first["edits"], first["current"], first["text_to"]) == (["place", "criterion"], True, EDITED.text_to)
    assert (second["created_at"], second["iou"], second["edits"], second["note"]) == (None, None, [], "")


def test_parquet_holds_the_same_with_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several row groups."""
    monkeypatch.setattr(exports, "BATCH_ROWS", 2)
    path = tmp_path / "overrides.parquet"
    assert exports.write_parquet(iter([ROW, BARE, ROW]), path) == 3
    table = parquet.read_table(path)
    assert table.schema.metadata[b"review_copilot_schema_version"] == str(SCHEMA_VERSION).encode()
    first, second, _ = table.to_pylist()
    assert (first["updated_at"], first["edits"], first["box_to_x"]) == (at(60.5), ["place", "criterion"], -0.1)
    assert second["created_at"] is None
    told = [
        {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
        for row in (first, second)
    ]
    assert told == as_jsonl(ROW, BARE)


def test_nothing_to_write_is_a_file_with_a_head(tmp_path: Path) -> None:
    assert as_csv() == []
    assert exports.write_parquet([], tmp_path / "empty.parquet") == 0
    assert parquet.read_table(tmp_path / "empty.parquet").num_rows == 0


@pytest.mark.parametrize("text", ["=1+1", "+49", "-2", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_a_spreadsheet_calculates_nothing(text: str) -> None:
    (row,) = as_csv(replace(ROW, author=text, override=replace(EDITED, note=text, reasons=(text,))))
    assert (row["author"], row["note"], row["reasons"]) == (f"'{text}",) * 3


@given(st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert not exports.spreadsheet_safe(text).startswith(exports.FORMULA_STARTS)
    assert exports.spreadsheet_safe(text) in {text, f"'{text}"}
    assert calculated_safely(exports.spreadsheet_safe(text)) == text


def test_rows_can_be_narrowed() -> None:
    rows = [ROW, BARE]
    assert list(narrowed(rows)) == rows
    assert list(narrowed(rows, criterion="PQ-02")) == [ROW]
    assert list(narrowed(rows, criterion="PQ-01", kind=OverrideKind.EDITED, reviewers={"4"})) == [ROW]
    assert list(narrowed(rows, kind=OverrideKind.ADDED)) == [BARE]
    assert list(narrowed(rows, reviewers={"5"})) == []


def test_the_documentation_is_what_the_code_says() -> None:
    page = Path(__file__).parents[3] / "docs" / "override-export.md"
    assert page.read_text("utf-8") == schema_page(), "run: python docs/make_export_schema.py"
    assert len(re.findall(r"^\| `", page.read_text("utf-8"), re.MULTILINE)) == len(COLUMNS)
