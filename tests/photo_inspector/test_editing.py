"""Seams and copied patches, on drawn scenes: found where they were put, and nowhere else."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from photo_inspector.editing import find_edits
from photo_inspector.inspector import BuiltinInspector
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.suggestion import Brief, Finding, Inspection
from review_copilot.library import load_guideline

GUIDELINE = load_guideline("edited-photo")


def thicket(seed: int) -> Pixels:
    """Blobs of all sizes, like leaves and ground: detail everywhere, and nothing that is there twice."""
    random = np.random.default_rng(seed)
    levels = np.full((480, 720), 110.0)
    for cells in (6, 12, 24, 48, 96, 180):
        coarse = random.normal(0, 1, (cells * 2 // 3, cells))
        levels += 70 / np.sqrt(cells) * np.asarray(cv2.resize(coarse, (720, 480), interpolation=cv2.INTER_CUBIC))
    tinted = levels[..., None] * np.array([0.95, 1.05, 0.9]) + random.normal(0, 2, (480, 720, 3))
    return np.asarray(np.clip(tinted, 0, 255), np.uint8)


def saved(pixels: Pixels) -> Pixels:
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def brief(pixels: Pixels, *, box: Box | None = None, guideline: str = "edited-photo") -> Brief:
    data = pixels.tobytes()
    height, width = pixels.shape[:2]
    image = ReviewImage("p", data, hashlib.sha256(data).hexdigest(), "PNG", width, height, lambda _: pixels)
    return Brief(image, load_guideline(guideline), box=box)


def look(asked: Brief) -> Inspection:
    """With all the time it takes on a busy machine."""
    return find_edits(asked, budget_s=120.0)


def of(inspection: Inspection, criterion: str) -> list[Finding]:
    return [f for f in inspection.findings if f.criterion_id == criterion]


def with_copy(pixels: Pixels) -> Pixels:
    """The patch at 60, 40 of 150 x 120 px again at 480, 300."""
    out = pixels.copy()
    out[300:420, 480:630] = pixels[40:160, 60:210]
    return saved(out)


def test_a_copied_patch_is_boxed_at_both_places() -> None:
    found = of(look(brief(with_copy(thicket(3)))), "EP-02")
    places = [f.box for f in found if f.box]
    assert max(b.iou(Box(60 / 720, 40 / 480, 150 / 720, 120 / 480)) for b in places) > 0.6
    assert max(b.iou(Box(480 / 720, 300 / 480, 150 / 720, 120 / 480)) for b in places) > 0.6
    assert {f.severity for f in found} == {Severity.MAJOR}
    assert any("same pixels as the one at the lower right" in f.rationale for f in found)
    assert all(len(f.rationale.split()) <= GUIDELINE.rationale.max_words for f in found)


@pytest.mark.parametrize("jump", [-14, 10])
def test_a_jump_of_tone_is_a_seam_where_it_is(jump: int) -> None:
    pixels = thicket(5).astype(np.int16)
    pixels[:, 300:] += jump
    (seam,) = of(look(brief(saved(np.clip(pixels, 0, 255).astype(np.uint8)))), "EP-01")
    assert seam.box is not None
    assert seam.box.x < 300 / 720 < seam.box.right
    assert "the tone jumps by about" in seam.rationale
    assert seam.evidence["step"] == pytest.approx(abs(jump), abs=4)


def test_a_level_seam_beside_itself_is_told_with_its_shift() -> None:
    pixels = thicket(8)
    pixels[200:] = np.roll(pixels, 10, axis=1)[200:]
    (seam,) = of(look(brief(saved(pixels))), "EP-01")
    assert seam.box is not None
    assert seam.box.y < 200 / 480 < seam.box.bottom
    assert "left to right, the scene goes on about" in seam.rationale
    assert seam.evidence["step"] == pytest.approx(10, abs=2)


def test_an_untouched_picture_has_neither() -> None:
    assert [look(brief(saved(thicket(seed)))).findings for seed in range(12, 18)] == [()] * 6


def test_windows_of_one_make_are_no_copies() -> None:
    """Forty windows from one drawing, each with grain of its own."""
    pixels = np.full((480, 720, 3), 120, np.uint8)
    for row in range(5):
        for column in range(8):
            cv2.rectangle(
                pixels, (30 + 85 * column, 30 + 90 * row), (85 + 85 * column, 95 + 90 * row), (60, 70, 90), -1
            )
            cv2.line(pixels, (57 + 85 * column, 30 + 90 * row), (57 + 85 * column, 95 + 90 * row), (200, 200, 200), 3)
    grain = np.random.default_rng(1).normal(0, 8, pixels.shape)
    assert of(look(brief(np.clip(pixels + grain, 0, 255).astype(np.uint8))), "EP-02") == []


def test_when_time_is_up_a_note_says_what_was_not_looked_for() -> None:
    said = find_edits(brief(with_copy(thicket(3))), budget_s=1e-9)
    assert of(said, "EP-02") == []
    assert said.notes == ("The search for copied patches stopped unfinished after 1e-09 s of processor time.",)


def test_only_what_reaches_into_the_asked_box_is_reported() -> None:
    found = look(brief(with_copy(thicket(3)), box=Box(0.6, 0.55, 0.3, 0.4))).findings
    assert [f.box is not None and f.box.x > 0.5 for f in found] == [True]


def test_nobody_looks_where_the_guideline_does_not_ask() -> None:
    said = BuiltinInspector().inspect(brief(with_copy(thicket(3)), guideline="photo-quality"))
    assert not [f for f in said.findings if f.evidence.get("measure") in {"seam", "copied_patch"}]


@pytest.mark.parametrize("size", [(1, 1), (40, 3), (100, 20)])
def test_pictures_too_small_to_tell_have_no_findings(size: tuple[int, int]) -> None:
    assert look(brief(np.full((*size, 3), 90, np.uint8))).findings == ()
