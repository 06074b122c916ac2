"""Word a review for the command line: one JSON object a line, or a table. Knows no inspector and no Label Studio."""

from __future__ import annotations

import json
from collections.abc import Iterable
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


def to_table(reviews: Iterable[tuple[str, Review]]) -> Table:
    """A table of reviews: one row for each suggestion, the verdict beside the first."""
    table = Table(show_lines=False, expand=False, header_style="bold")
    table.add_column("image", overflow="fold")
    table.add_column("verdict")
    table.add_column("criterion", overflow="fold")
    table.add_column("severity")
    table.add_column("score", justify="right")
    table.add_column("where")
    table.add_column("rationale", overflow="fold", ratio=1)
    for name, review in reviews:
        if review.exposure is Exposure.FAILED:
            table.add_row(escape(name), "[red]error[/]", "", "", "", "", escape(review.error), end_section=True)
            continue
        verdict = f"[{VERDICT_STYLE[review.verdict]}]{review.verdict.value}[/]"
        if not review.suggestions:
            table.add_row(escape(name), verdict, "", "", "", "", escape(review.summary), end_section=True)
        for index, suggestion in enumerate(review.suggestions):
            table.add_row(
                escape(name) if index == 0 else "",
                verdict if index == 0 else "",
                escape(f"{suggestion.criterion_id} {suggestion.label}"),
                f"[{SEVERITY_STYLE[suggestion.severity]}]{suggestion.severity.value}[/]",
                f"{suggestion.score:.2f}",
                _where(suggestion, review),
                escape(suggestion.rationale),
                end_section=index == len(review.suggestions) - 1,
            )
    return table


def _where(suggestion: Suggestion, review: Review) -> str:
    if suggestion.scope is Scope.IMAGE:
        return "whole image"
    x, y, width, height = suggestion.box.to_pixels(
        image_width_px=review.image_width_px, image_height_px=review.image_height_px
    )
    return f"{width:.0f} x {height:.0f} at {x:.0f}, {y:.0f}"
