"""Tables of the override log for the terminal. Knows rows and wording, but no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.markup import escape
from rich.table import Table

from review_copilot.domain.guideline import UNCOVERED
from review_copilot.domain.override import Aspect, LoggedOverride, Override, OverrideKind, Subject

KIND_STYLE = {
    OverrideKind.UNTOUCHED: "dim",
    OverrideKind.CONFIRMED: "green",
    OverrideKind.EDITED: "yellow",
    OverrideKind.REJECTED: "red",
    OverrideKind.ADDED: "magenta",
}
LONGEST_TEXT = 90


def to_table(rows: Iterable[LoggedOverride]) -> Table:
    """One line per row of the log: who did what with which suggestion, in which annotation.

    The author made the annotation. The editor submitted the listed revision; a dash stands for the author.
    """
    table = Table(header_style="bold", expand=False)
    for name in ("task", "annotation", "kind", "about"):
        table.add_column(name, no_wrap=True)
    table.add_column("what changed", overflow="fold", ratio=1)
    for name in ("reasons", "author", "editor"):
        table.add_column(name, overflow="fold")
    for row in rows:
        override = row.override
        style = KIND_STYLE.get(override.kind, "")
        table.add_row(
            str(row.key.task_id),
            str(row.annotation_id),
            f"[{style}]{override.kind.value}[/]" if style else override.kind.value,
            escape(_about(override)),
            escape("; ".join(_changes(override))),
            escape(", ".join((*_words(override.reasons), *([f'"{override.note}"'] if override.note else [])))),
            escape(row.author or "unknown"),
            escape(row.editor) if row.editor and row.editor != row.author else "–",
        )
    return table


def to_summary(rows: Sequence[LoggedOverride]) -> Table:
    """Summary of the log: for each suggested criterion, how often reviewers kept or changed it."""
    kinds = list(OverrideKind)[:5]
    table = Table(title="What the log says", header_style="bold")
    table.add_column("criterion")
    for kind in kinds:
        table.add_column(kind.value, justify="right")
    table.add_column("overridden", justify="right")
    counts: dict[str, Counter[OverrideKind]] = {}
    for row in rows:
        if row.override.subject is Subject.REGION:
            name = row.override.criterion_from or row.override.criterion_to or UNCOVERED
            counts.setdefault(name, Counter())[row.override.kind] += 1
    for name, count in sorted(counts.items()):
        suggested = sum(count[kind] for kind in kinds[:4])
        overridden = count[OverrideKind.EDITED] + count[OverrideKind.REJECTED]
        share = f"{overridden} of {suggested}" if suggested else ""
        table.add_row(escape(name), *(str(count[kind] or "") for kind in kinds), share)
    return table


def _about(override: Override) -> str:
    """The criterion and its change; the subject if the row is not about a region."""
    if override.subject is not Subject.REGION:
        return override.subject.value
    return _change(override.criterion_from, override.criterion_to)


def _words(reasons: Iterable[str]) -> list[str]:
    return [reason.replace("_", " ") for reason in reasons]


def _changes(override: Override) -> list[str]:
    """The changes as text, one by one."""
    said = []
    if override.subject is Subject.VERDICT:
        return [_change(override.severity_from, override.severity_to)]
    if override.kind is OverrideKind.ADDED:
        said.append(override.severity_to)
    if Aspect.PLACE in override.edits and override.iou is not None:
        said.append(f"place (IoU {override.iou:.2f})")
    if Aspect.SEVERITY in override.edits:
        said.append(_change(override.severity_from, override.severity_to))
    if override.text_to != override.text_from and override.kind is not OverrideKind.REJECTED:
        kept = f", {override.text_similarity:.0%} kept" if override.text_similarity is not None else ""
        said.append(f'text{kept}: "{_short(override.text_to)}"')
    return [part for part in said if part]


def _change(before: str, after: str) -> str:
    if before == after or not after:
        return before
    return f"{before} -> {after}" if before else after


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
