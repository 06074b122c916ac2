"""Format reviews for the command line: one JSON object per line, or a table. Knows no inspector and no Label Studio."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.review import Exposure, Review
from review_copilot.domain.suggestion import Scope, Suggestion

SEVERITY_STYLE = {Severity.MINOR: "yellow", Severity.MAJOR: "dark_orange", Severity.CRITICAL: "red"}
VERDICT_STYLE = {Verdict.PASS: "green", Verdict.DISCUSS: "yellow", Verdict.FAIL: "red"}


def to_json_line(name: str, review: Review) -> str:
    """One line of JSON for one image: its suggestions with boxes in pixels of the upright image, or its error."""
    if review.exposure is Exposure.FAILED:
        return json.dumps({"image": name, "error": review.error}, ensure_ascii=False)
    return json.dumps(
        {
            "image": name,
            "width": review.image_width_px,
            "height": review.image_height_px,
            "verdict": review.verdict.value,
            "summary": review.summary,
            "suggestions": [_suggestion(s, review) for s in review.suggestions],
            "unexamined": list(review.unexamined),
            "notes": list(review.notes),
            "dropped": [{"what": d.what, "reason": d.reason} for d in review.dropped],
            "elapsed_s": round(review.elapsed_s, 4),
            "model_version": review.provenance.model_version,
        },
        ensure_ascii=False,
    )


def _suggestion(suggestion: Suggestion, review: Review) -> dict[str, Any]:
    x, y, width, height = suggestion.box.to_pixels(
        image_width_px=review.image_width_px, image_height_px=review.image_height_px
    )
    return {
        "id": suggestion.id,
        "criterion": suggestion.criterion_id,
        "label": suggestion.label,
        "severity": suggestion.severity.value,
        "score": suggestion.score,
        "scope": suggestion.scope.value,
        "box": {"x": round(x, 2), "y": round(y, 2), "width": round(width, 2), "height": round(height, 2)},
        "rationale": suggestion.rationale,
        "evidence": dict(suggestion.evidence),
        "source": suggestion.source,
    }


def to_table(reviews: Sequence[tuple[str, Review]]) -> Table:
    """A table of reviews that fits 80 columns: image and verdict, findings, and rationales."""
    table = Table(header_style="bold")
    table.add_column("image", overflow="fold", max_width=28)
    table.add_column("found", overflow="fold", max_width=24)
    table.add_column("rationale", overflow="fold")
    shared = _shared_folder([name for name, _ in reviews])
    for name, review in reviews:
        first = f"{escape(name.removeprefix(shared))}\n{_verdict(review)}"
        rows = [(_found(s, review), escape(s.rationale)) for s in review.suggestions]
        if review.exposure is Exposure.FAILED:
            rows = [("", escape(review.error))]
        for index, (found, why) in enumerate(rows or [("", escape(review.summary))]):
            table.add_row(first if index == 0 else "", found, why)
        table.add_section()
    return table


def _shared_folder(names: Sequence[str]) -> str:
    """The folders that all names start with, including a trailing slash; empty if there are none."""
    folders = {name.rpartition("/")[0] for name in names}
    if len(folders) != 1:
        return ""
    only = folders.pop()
    return f"{only}/" if only else ""


def _verdict(review: Review) -> str:
    if review.exposure is Exposure.FAILED:
        return "[red]unreadable[/]"
    return f"[{VERDICT_STYLE[review.verdict]}]{review.verdict.value}[/]"


def _found(suggestion: Suggestion, review: Review) -> str:
    severity = f"[{SEVERITY_STYLE[suggestion.severity]}]{suggestion.severity.value}[/] {suggestion.score:.2f}"
    return f"{escape(suggestion.label)}\n{severity}\n[dim]{_where(suggestion, review)}[/]"


def _where(suggestion: Suggestion, review: Review) -> str:
    if suggestion.scope is Scope.IMAGE:
        return "whole image"
    x, y, width, height = suggestion.box.to_pixels(
        image_width_px=review.image_width_px, image_height_px=review.image_height_px
    )
    return f"{width:.0f} x {height:.0f} at {x:.0f}, {y:.0f}"
