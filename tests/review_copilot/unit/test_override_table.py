"""The table of the log shows whose annotation a row is from, and who edited it."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from log_rows import a_row
from review_copilot.reports.override_table import to_table


@pytest.mark.parametrize(
    ("author", "editor", "shown"),
    [
        ("ada", "bob", ["ada", "bob"]),
        ("ada", "ada", ["ada", "–"]),
        ("ada", "", ["ada", "–"]),
        ("", "", ["unknown", "–"]),
    ],
)
def test_a_row_names_annotation_author_and_editor(author: str, editor: str, shown: list[str]) -> None:
    out = StringIO()
    rows = [replace(a_row(task=12, annotation=345), author=author, editor=editor)]
    Console(file=out, width=160).print(to_table(rows))
    drawn = out.getvalue().replace("┃", " ").replace("│", " ")
    header, line = (text.split() for text in drawn.splitlines() if "345" in text or "author" in text)
    assert header[-2:] == ["author", "editor"]
    assert line[:2] == ["12", "345"]
    assert line[-2:] == shown
