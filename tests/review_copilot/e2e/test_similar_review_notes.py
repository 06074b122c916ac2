"""What reviewers marked in a real Label Studio is said in the drafts that the next reviewers open there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from editor import PATIENCE_MS, Editor
from fake_clock import FakeClock
from review_copilot.demo import label_studio_server as ls
from review_copilot.demo.scripted_reviewer import ScriptedReviewer, drafted, drawn
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.domain.override import OverrideKind
from review_copilot.flows.learn_from_reviews import LearnOutcome, learn
from workplace import IMAGE_PX, LAMP_FINDINGS, Workplace, lamps, png

pytestmark = pytest.mark.labelstudio

STICKER_PX = (330, 200, 100, 90)
STICKER = Box.from_pixels(*STICKER_PX, image_width_px=IMAGE_PX[0], image_height_px=IMAGE_PX[1])
PERCENT = (100 * STICKER.x, 100 * STICKER.y, 100 * STICKER.width, 100 * STICKER.height)
STICKERS, PICTURES = 8, 12


def with_sticker(seed: int) -> Pixels:
    """The lamps with a striped label of blue and yellow stuck on."""
    pixels = lamps(seed=seed)
    x, y, width, height = STICKER_PX
    cv2.rectangle(pixels, (x, y), (x + width, y + height), (30, 40, 190), -1)
    for stripe in range(y + 5, y + height, 12):
        cv2.line(pixels, (x, stripe), (x + width, stripe), (240, 220, 40), 3)
    return np.asarray(pixels)


@pytest.fixture
def project_id(workplace_in_use: Workplace) -> Iterator[int]:
    pictures = {f"sticker-{n}.png": with_sticker(n) for n in range(STICKERS)}
    pictures |= {f"plain-{n}.png": lamps(seed=n) for n in range(STICKERS, PICTURES)}
    made = workplace_in_use.connected_project("Lookbook", pictures)
    yield made
    workplace_in_use.copilot.client.delete_project(made)


def test_the_next_draft_names_the_pattern_and_its_tasks(
    workplace_in_use: Workplace, project_id: int, page: Page, tmp_path: Path
) -> None:
    workplace_in_use.draft(project_id)
    reviewer = ScriptedReviewer(workplace_in_use.server.url, ls.signed_in(workplace_in_use.server))
    tasks = reviewer.tasks(project_id)
    for number, task in enumerate(tasks):
        novel = workplace_in_use.copilot.guideline.novel.label
        sticker = drawn(region_id=f"drawn-{number}", tag="label", to_name="image", label=novel, percent=PERCENT)
        noted = {
            **sticker,
            "from_name": "rationale",
            "type": "textarea",
            "value": {**sticker["value"], "text": ["A sticker was left on it."]},
        }
        reviewer.submit(task, [*drafted(task), *([sticker, noted] if number < STICKERS else [])])
    workplace_in_use.wait_for(project_id, lambda rows: len({row.annotation_id for row in rows}) == PICTURES)
    added = [r.override for r in workplace_in_use.region_rows(project_id) if r.override.kind is OverrideKind.ADDED]
    assert [override.text_to for override in added] == ["A sticker was left on it."] * STICKERS

    copilot, in_an_hour = workplace_in_use.copilot, FakeClock(datetime.now(UTC) + timedelta(hours=1))
    key = copilot.opener.open(project_id).key
    learning = replace(copilot.parts().learning, clock=in_an_hour)
    assert learn(key, learning=learning, opener=copilot.opener) is LearnOutcome.ANEW

    file = workplace_in_use.folder / "next.png"
    file.write_bytes(png(with_sticker(99)))
    copilot.client.upload(project_id, file)
    workplace_in_use.draft(project_id, findings=(replace(LAMP_FINDINGS[0], box=STICKER), LAMP_FINDINGS[1]))
    newest = reviewer.tasks(project_id)[-1]
    infos = [entry["meta"]["text"][0] for entry in drafted(newest) if entry["type"] == "rectanglelabels"]
    known = [info for info in infos if info.startswith(f"Like {STICKERS} regions that reviewers marked as")]
    first = ", ".join(str(task["id"]) for task in tasks[:2])
    assert len(infos) == 2
    assert len(known) == 1
    assert f"tasks {first} and {tasks[2]['id']}." in known[0]

    editor = Editor(page, url=workplace_in_use.server.url, project_id=project_id)
    shown = editor.wait_for_regions(lambda now: len(now) >= len(infos))
    editor.select(max(shown, key=lambda region: region.box.iou(STICKER)).id)
    expect(page.get_by_text(f"Like {STICKERS} regions that reviewers marked as")).to_be_visible(timeout=PATIENCE_MS)
    editor.screenshot(tmp_path / "like-a-known-pattern.png")
