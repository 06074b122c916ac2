"""Submissions whose verdict contradicts their boxes are listed, and no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fake_clock import FakeClock
from log_rows import a_row
from review_copilot.domain.draft_totals import Drafts
from review_copilot.domain.guideline import UNCOVERED, Verdict
from review_copilot.domain.override import LoggedOverride, OverrideKind, Subject
from review_copilot.flows.look_again import MOST_LISTED, look_again
from review_copilot.flows.packed_log import reading_of
from review_copilot.flows.study_project import Scope, study_project
from review_copilot.library import load_guideline
from review_copilot.reports.study_html import to_html
from review_copilot.reports.study_markdown import to_markdown
from review_copilot.study.table import table_of

RULED = load_guideline("photo-quality")
GUIDELINE = replace(
    RULED, verdict=replace(RULED.verdict, fail={"critical": 1, "major": 2}, discuss={"major": 1, UNCOVERED: 1})
)


def submission(verdict: str, *severities: str, number: int = 1, criterion: str = "PQ-01") -> list[LoggedOverride]:
    said = a_row(
        OverrideKind.EDITED,
        task=number,
        annotation=number,
        days=number,
        subject=Subject.VERDICT,
        criterion_from="",
        criterion_to="",
        severity_from="discuss",
        severity_to=verdict,
    )
    boxes = [
        a_row(task=number, annotation=number, days=number, severity_to=severity, criterion=criterion)
        for severity in severities
    ]
    withdrawn = a_row(OverrideKind.REJECTED, task=number, annotation=number, days=number, severity_from="critical")
    return [said, *boxes, withdrawn]


@pytest.mark.parametrize(
    ("verdict", "severities", "criterion", "by_rule"),
    [
        ("pass", ("critical",), "PQ-01", Verdict.FAIL),
        ("pass", ("major", "major"), "PQ-01", Verdict.FAIL),
        ("pass", ("critical", "minor"), UNCOVERED, Verdict.FAIL),
        ("fail", (), "PQ-01", Verdict.PASS),
        ("fail", ("minor", "minor"), "PQ-01", Verdict.PASS),
        ("fail", ("minor", ""), "PQ-01", None),  # the second box may be critical
        ("pass", (), "PQ-01", None),
        ("pass", ("major",), "PQ-01", None),  # a question, answered either way
        ("fail", ("major",), "PQ-01", None),
        ("fail", ("minor",), UNCOVERED, None),
        ("fail", ("critical",), "PQ-01", None),
        ("discuss", ("critical",), "PQ-01", None),
    ],
)
def test_a_verdict_contradicts_the_boxes_or_not(
    verdict: str, severities: tuple[str, ...], criterion: str, by_rule: Verdict | None
) -> None:
    found = look_again([table_of(submission(verdict, *severities, criterion=criterion))], GUIDELINE)
    assert found.of == (verdict != "discuss")
    assert [(one.submitted, one.by_rule) for one in found.newest] == ([(Verdict(verdict), by_rule)] if by_rule else [])


def test_without_a_rule_nothing_contradicts_it() -> None:
    ruleless = replace(GUIDELINE, verdict=replace(RULED.verdict, fail={}, discuss={}))
    assert look_again([table_of(submission("fail"))], ruleless).count == 0


def test_the_newest_are_listed_and_all_are_counted() -> None:
    many = MOST_LISTED + 5
    parts = [table_of(submission("fail", number=n)) for n in range(1, many + 1)]
    found = look_again(parts, GUIDELINE)
    assert (found.count, found.of) == (many, many)
    assert [one.task for one in found.newest] == list(range(many, many - MOST_LISTED, -1))


def test_the_report_lists_them() -> None:
    rows = [row for n, verdict in enumerate(("pass", "fail"), start=1) for row in submission(verdict, number=n)]
    report = study_project(
        reading_of(table_of(rows)),
        Drafts(),
        project=rows[0].key.project,
        guideline=GUIDELINE,
        scope=Scope(),
        clock=FakeClock(),
    )
    assert "In 1 of 2 submissions, the verdict contradicts the boxes" in to_html(report)
    assert "ada submitted “fail”, the boxes mean “pass”" in to_markdown(report)
