"""A reviewer's work in Chromium, and what the log says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from editor import Editor
from review_copilot.demo import label_studio_server as ls
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED
from review_copilot.domain.override import Aspect, LoggedOverride, OverrideKind, Subject
from review_copilot.flows.sweep import sweep_project
from workplace import LAMP_BOXES, Workplace, lamps, workplace

pytestmark = [pytest.mark.labelstudio, pytest.mark.browser]

DRAFTED_TEXT = "pure white"
OWN_TEXT = "The lamp is white; the wall behind it can still be made out."
NOVEL_KEY = "Alt+0"
CLIPPED_KEY = "Alt+5"


def _around(box: Box, *, by: float = 0.06) -> Box:
    """A box wider by a fraction of the image on each side."""
    return Box.from_corners(box.x - by, box.y - by, box.right + by, box.bottom + by)


def _by_kind(rows: list[LoggedOverride], kind: OverrideKind) -> LoggedOverride:
    (found,) = [row for row in rows if row.override.subject is Subject.REGION and row.override.kind is kind]
    return found


def test_what_a_reviewer_does_in_the_label_stream_is_what_the_log_says(
    workplace_in_use: Workplace, page: Page, tmp_path: Path
) -> None:
    """Move a box, change its severity and text, delete another, leave a third, draw a fourth, submit."""
    project_id = workplace_in_use.connected_project("Browser test", {"lamps.png": lamps()})
    workplace_in_use.draft(project_id)
    editor = Editor(page, url=workplace_in_use.server.url, project_id=project_id)
    drafted = editor.wait_for_regions(lambda now: len(now) >= len(LAMP_BOXES))
    editor.screenshot(tmp_path / "drafted.png")
    assert editor.listed_labels() == ["Clipped highlights"] * 3
    assert "clipped highlights" in editor.field("summary")
    changed, deleted, left = drafted
    editor.select(changed.id)
    assert DRAFTED_TEXT in editor.field("rationale")
    assert editor.ticked("minor")
    editor.screenshot(tmp_path / "selected.png")
    for key in "1234567890qtasdfil":
        page.keyboard.press(key)
    assert [region.label for region in editor.regions()] == ["Clipped highlights"] * 3, "a plain key relabels nothing"
    assert page.locator(".rc-definition:visible").all_inner_texts() == [workplace_in_use.definition("PQ-05")]
    assert editor.listed_drafts() == ["Drafted: Clipped highlights, minor"] * 3

    editor.move(changed.id, right=0.03, down=0.04)
    editor.choose("major")
    editor.rewrite("rationale", OWN_TEXT)
    editor.delete(deleted.id)
    added = editor.draw(Box(0.3, 0.3, 0.12, 0.2), hotkey=NOVEL_KEY)
    annotation_id = editor.submit()

    rows = workplace_in_use.wait_for(project_id, lambda rows: any(row.annotation_id == annotation_id for row in rows))
    regions = [row for row in rows if row.override.subject is Subject.REGION]
    assert len(regions) == 4
    edit = _by_kind(rows, OverrideKind.EDITED).override
    assert edit.region_id == edit.suggestion_id == changed.id
    assert set(edit.edits) == {Aspect.PLACE, Aspect.SEVERITY, Aspect.RATIONALE}
    assert (edit.severity_from, edit.severity_to) == ("minor", "major")
    assert DRAFTED_TEXT in edit.text_from
    assert edit.text_to == OWN_TEXT
    assert (edit.criterion_from, edit.criterion_to) == ("PQ-05", "PQ-05")
    assert edit.iou is not None
    assert 0.2 < edit.iou < 0.8
    assert edit.box_from is not None
    assert edit.box_to is not None
    assert edit.box_to.x - edit.box_from.x == pytest.approx(0.03, abs=0.01)
    assert edit.box_to.y - edit.box_from.y == pytest.approx(0.04, abs=0.01)
    assert _by_kind(rows, OverrideKind.REJECTED).override.suggestion_id == deleted.id
    assert _by_kind(rows, OverrideKind.UNTOUCHED).override.suggestion_id == left.id
    new = _by_kind(rows, OverrideKind.ADDED).override
    assert (new.region_id, new.criterion_to, new.suggestion_id) == (added.id, UNCOVERED, "")
    who = {(row.author, row.editor) for row in rows}
    assert len(who) == 1
    assert all(author == editor_ != "" for author, editor_ in who)
    assert all(row.lead_time_s is not None and row.lead_time_s > 0 for row in rows)


def test_a_rationale_that_was_typed_but_not_saved_is_submitted(
    workplace_in_use: Workplace, page: Page, tmp_path: Path
) -> None:
    """Who types and presses Submit at once, the cursor still in the field, loses nothing."""
    project_id = workplace_in_use.connected_project("Typing test", {"lamps.png": lamps(seed=7)})
    workplace_in_use.draft(project_id)
    editor = Editor(page, url=workplace_in_use.server.url, project_id=project_id)
    drafted = editor.wait_for_regions(lambda now: len(now) >= len(LAMP_BOXES))
    editor.select(drafted[0].id)
    editor.begin_rewriting("rationale", OWN_TEXT)
    editor.screenshot(tmp_path / "typing.png")
    annotation_id = editor.submit()
    rows = workplace_in_use.wait_for(project_id, lambda rows: any(row.annotation_id == annotation_id for row in rows))
    edit = _by_kind(rows, OverrideKind.EDITED).override
    assert (edit.suggestion_id, edit.edits, edit.text_to) == (drafted[0].id, (Aspect.RATIONALE,), OWN_TEXT)


def test_drafts_are_shown_while_the_backend_is_stopped(
    label_studio: ls.LabelStudioServer, page: Page, tmp_path: Path
) -> None:
    """Pre-annotated drafts lie in Label Studio's database; the submission is found by the next sweep."""
    with workplace(label_studio, token=label_studio.account.legacy_token, folder=tmp_path / "desk") as context:
        with context.backend():
            project_id = context.connected_project("Backend stopped", {"lamps.png": lamps(seed=8)})
        context.draft(project_id)
        editor = Editor(page, url=label_studio.url, project_id=project_id)
        drafted = editor.wait_for_regions(lambda now: len(now) >= len(LAMP_BOXES))
        editor.screenshot(tmp_path / "backend-stopped.png")
        editor.select(drafted[0].id)
        assert DRAFTED_TEXT in editor.field("rationale")
        editor.choose("agree")
        editor.submit()
        sweep_project(context.copilot.opener.open(project_id), store=context.copilot.store)
        kinds = {row.override.suggestion_id: row.override.kind for row in context.region_rows(project_id)}
    assert kinds[drafted[0].id] is OverrideKind.CONFIRMED
    assert [kinds[region.id] for region in drafted[1:]] == [OverrideKind.UNTOUCHED] * 2


def test_what_the_magic_tool_offers_and_a_reviewer_accepts_is_logged_as_taken(
    workplace_in_use: Workplace, page: Page, tmp_path: Path
) -> None:
    """All drafts are deleted first, so that the box drawn over a lamp stands on free ground."""
    project_id = workplace_in_use.connected_project("Magic test", {"lamps.png": lamps(seed=9)})
    workplace_in_use.draft(project_id)
    editor = Editor(page, url=workplace_in_use.server.url, project_id=project_id)
    drafted = editor.wait_for_regions(lambda now: len(now) >= len(LAMP_BOXES))
    for region in drafted:
        editor.delete(region.id)
    offered = editor.ask_magic(_around(LAMP_BOXES[1]), hotkey=CLIPPED_KEY)
    editor.screenshot(tmp_path / "offered.png")
    assert "Clipped highlights" in {region.label for region in offered}
    editor.accept_offers()
    annotation_id = editor.submit()

    rows = workplace_in_use.wait_for(project_id, lambda rows: any(row.annotation_id == annotation_id for row in rows))
    regions = [row.override for row in rows if row.override.subject is Subject.REGION]
    taken = {row.region_id for row in regions if row.kind is OverrideKind.TAKEN}
    assert taken == {region.id for region in offered}
    rejected = {row.suggestion_id for row in regions if row.kind is OverrideKind.REJECTED}
    assert rejected == {region.id for region in drafted}
    assert len(regions) == len(taken) + len(rejected)
