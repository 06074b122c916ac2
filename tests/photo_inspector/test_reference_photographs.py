"""Photographs beside themselves: planted differences are boxed, and what is no difference stays silent."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from builders import a_criterion, a_guideline, an_image
from photo_inspector.reference import compare_with_reference
from photo_inspector.reference.topology import Defect
from pictures import compressed, gained, grained
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity
from review_copilot.domain.image import Pixels
from review_copilot.domain.suggestion import Brief, Inspection

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "retina")


def photograph(name: str) -> Pixels:
    pixels: Pixels = np.ascontiguousarray(getattr(data, name)())
    return pixels


def compared(
    image: Pixels, reference: Pixels, *, guideline: Guideline | None = None, box: Box | None = None
) -> Inspection:
    brief = Brief(an_image(image), guideline or a_guideline(), reference=an_image(reference), box=box)
    return compare_with_reference(brief)


def patched(pixels: Pixels, *, factor: float = 0.4) -> tuple[Pixels, Box]:
    """The photograph with a shaded patch right of its middle, and the patch's box."""
    height, width = pixels.shape[:2]
    top, left = int(height * 0.55), int(width * 0.6)
    down, across = int(height * 0.14), int(width * 0.12)
    flawed = pixels.copy()
    flawed[top : top + down, left : left + across] = flawed[top : top + down, left : left + across] * factor
    return flawed, Box.from_pixels(left, top, across, down, image_width_px=width, image_height_px=height)


def taken_again(pixels: Pixels) -> Pixels:
    """The same view from a hand-held camera: moved, darker, noisy, compressed."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0.8, 1.01) + np.asarray([[0, 0, 5.0], [0, 0, -4.0]])
    moved = cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return compressed(grained(gained(np.asarray(moved, np.uint8), factor=0.85), sigma=4), quality=60)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_the_same_view_taken_again_has_no_finding(name: str) -> None:
    pixels = photograph(name)
    inspection = compared(pixels, taken_again(pixels))
    assert inspection.findings == ()
    assert inspection.notes == ()


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "retina"])
def test_a_planted_patch_is_boxed_although_the_reference_was_taken_again(name: str) -> None:
    pixels = photograph(name)
    flawed, box = patched(pixels)
    (found,) = compared(flawed, taken_again(pixels)).findings
    assert found.box is not None
    assert found.box.iou(box) > 0.5
    assert found.criterion_id == UNCOVERED


def test_the_rationale_says_where_and_by_how_much() -> None:
    flawed, _ = patched(photograph("chelsea"))
    (found,) = compared(flawed, photograph("chelsea")).findings
    assert found.rationale.startswith("Center: an area of ")
    assert " darker than in the reference." in found.rationale
    assert found.severity is Severity.MAJOR


def test_a_change_of_color_at_equal_brightness_is_found() -> None:
    pixels = photograph("coffee")
    flawed = pixels.copy()
    flawed[60:120, 60:140] = flawed[60:120, 60:140, ::-1]
    flawed[60:120, 60:140, 1] = pixels[60:120, 60:140, 1]
    (found,) = compared(flawed, pixels).findings
    assert "differs in color" in found.rationale


def test_a_criterion_for_differences_claims_them_by_its_anchors() -> None:
    """Anchors are read as per cent of the picture's area: the patch covers between 1 and 2 per cent."""
    guideline = a_guideline(a_criterion("D", label="Difference", measures=("difference",), at_least=(0.1, 0.5, 1.0)))
    flawed, _ = patched(photograph("astronaut"))
    (found,) = compared(flawed, photograph("astronaut"), guideline=guideline).findings
    assert (found.criterion_id, found.severity) == ("D", Severity.CRITICAL)


def test_a_reference_of_another_size_is_fitted() -> None:
    pixels = photograph("astronaut")
    small = np.asarray(cv2.resize(pixels, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA), np.uint8)
    flawed, box = patched(pixels)
    (found,) = compared(flawed, small).findings
    assert found.box is not None
    assert found.box.iou(box) > 0.5


def test_a_reference_that_shows_less_is_compared_where_it_can_be() -> None:
    pixels = photograph("astronaut")
    inspection = compared(pixels, np.ascontiguousarray(pixels[40:440, 60:500]))
    assert inspection.findings == ()
    assert inspection.notes[0].startswith("The reference covers ")


@pytest.mark.parametrize(("name", "other"), [("astronaut", "coffee"), ("chelsea", "rocket"), ("coffee", "retina")])
def test_another_scene_gives_a_note_and_no_finding(name: str, other: str) -> None:
    inspection = compared(photograph(name), photograph(other))
    assert inspection.findings == ()
    assert len(inspection.notes) == 1
    assert "another scene" in inspection.notes[0]


def test_a_picture_that_differs_nearly_everywhere_gives_a_note() -> None:
    """Half of the tiles agree, so it is the same scene, and what differs is too much to point at."""
    gray = np.full((480, 640, 3), 128, np.uint8)
    other = gray.copy()
    other[:, :400] = (20, 200, 90)
    other[:, 400:] = (128, 20, 240)
    assert compared(gray, other).findings == ()


def test_the_asked_place_alone_is_reported() -> None:
    flawed, box = patched(photograph("coffee"))
    assert len(compared(flawed, photograph("coffee"), box=box).findings) == 1
    assert compared(flawed, photograph("coffee"), box=Box(0.0, 0.0, 0.2, 0.2)).findings == ()


def test_photographs_under_a_board_guideline_are_compared_without_kinds() -> None:
    boards = a_guideline(a_criterion("O", measures=(Defect.OPEN,)))
    flawed, _ = patched(photograph("chelsea"))
    inspection = compared(flawed, photograph("chelsea"), guideline=boards)
    assert [found.criterion_id for found in inspection.findings] == [UNCOVERED]
    assert inspection.notes[0].startswith("Copper and board do not part by brightness")


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 400, 3), (31, 31, 3)])
def test_a_tiny_picture_is_not_compared(shape: tuple[int, int, int]) -> None:
    tiny = np.zeros(shape, np.uint8)
    inspection = compared(photograph("astronaut"), tiny)
    assert inspection.findings == ()
    assert inspection.notes == ("Not compared with the reference: one of the two is under 32 px.",)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_pictures_agree(level: int) -> None:
    flat = np.full((64, 96, 3), level, np.uint8)
    assert compared(flat, flat).findings == ()


def test_without_a_reference_nothing_is_said() -> None:
    brief = Brief(an_image(photograph("coffee")), a_guideline())
    assert compare_with_reference(brief) == Inspection(findings=())
