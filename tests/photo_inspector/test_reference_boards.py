"""Drawn boards beside their templates: every planted defect is found, named, placed and put into words."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from boards import Board, board
from builders import a_criterion, a_guideline, an_image
from photo_inspector.reference import compare_with_reference
from photo_inspector.reference.topology import Defect
from pictures import compressed, gained, grained
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity
from review_copilot.domain.image import Pixels
from review_copilot.domain.suggestion import Brief, Inspection

BOARDS = a_guideline(*(a_criterion(defect.value, label=defect.name.title(), measures=(defect,)) for defect in Defect))


def compared(image: Pixels, template: Pixels, *, guideline: Guideline = BOARDS, box: Box | None = None) -> Inspection:
    return compare_with_reference(Brief(an_image(image), guideline, reference=an_image(template), box=box))


def assert_all_found(drawn: Board, inspection: Inspection) -> None:
    """One finding for each planted defect, of its kind, at an IoU of at least a third, and no other."""
    assert len(inspection.findings) == len(drawn.planted)
    for planted in drawn.planted:
        nearest = max(inspection.findings, key=lambda found: found.box.iou(planted.box) if found.box else 0.0)
        assert nearest.box is not None
        assert nearest.box.iou(planted.box) > 0.33
        assert nearest.criterion_id == planted.defect


@pytest.mark.parametrize("seed", range(4))
def test_each_kind_of_defect_is_found_and_named(seed: int) -> None:
    drawn = board(seed=seed)
    assert_all_found(drawn, compared(drawn.image, drawn.template))


@pytest.mark.parametrize("seed", range(4))
def test_a_board_like_its_template_has_no_finding(seed: int) -> None:
    """Ragged edges that wander differently in both pictures are no defect."""
    drawn = board(seed=seed, defects=())
    assert compared(drawn.image, drawn.template).findings == ()


def test_noise_exposure_and_compression_change_nothing() -> None:
    drawn = board(seed=11)
    worse = compressed(grained(gained(drawn.image, factor=0.6), sigma=12), quality=20)
    assert_all_found(drawn, compared(worse, drawn.template))


def test_a_turned_and_shifted_template_is_laid_over_the_board() -> None:
    drawn = board(seed=12)
    side = drawn.template.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), 1.5, 1.02) + np.asarray([[0, 0, 7.0], [0, 0, -5.0]])
    moved = cv2.warpAffine(drawn.template, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    assert_all_found(drawn, compared(drawn.image, np.asarray(moved, np.uint8)))


@pytest.mark.parametrize("side_px", [480, 1024])
def test_a_template_of_another_size_is_fitted(side_px: int) -> None:
    drawn = board(seed=13)
    assert_all_found(drawn, compared(drawn.image, board(seed=13, side_px=side_px).template))


def test_bright_copper_of_a_photograph_is_told_from_dark_artwork() -> None:
    """A photographed board has shades: there copper is what shines, so nothing turns into its mirror image."""
    drawn = board(seed=14)
    shade = np.linspace(0.45, 1.0, drawn.image.shape[1])[None, :, None]
    image, template = (np.asarray((255 - picture) * shade, np.uint8) for picture in (drawn.image, drawn.template))
    inspection = compared(image, template)
    assert_all_found(drawn, inspection)
    assert inspection.notes == ("Copper was taken to be the brighter part of the picture.",)


def test_the_rationale_names_place_number_and_criterion() -> None:
    drawn = board(seed=3, defects=(Defect.OPEN,))
    (found,) = compared(drawn.image, drawn.template).findings
    assert found.rationale == "Center: the trace is broken over 10 px; the reference shows it unbroken."
    assert found.severity is Severity.CRITICAL
    assert found.score > 0.9
    assert found.evidence["defect"] == "pcb_open"


def test_sizes_are_told_in_pixels_of_the_full_image() -> None:
    """A board of 3 200 px is compared at 1 600 px; its gap of 10 of 640 px is about 50 px wide."""
    drawn = board(seed=3, defects=(Defect.OPEN,), side_px=3200)
    (found,) = compared(drawn.image, drawn.template).findings
    assert 46 <= float(found.evidence["along_px"]) <= 62


def test_rationales_keep_to_the_guidelines_words() -> None:
    drawn = board(seed=1)
    brief_one = a_guideline(*BOARDS.criteria, max_words=12)
    texts = [found.rationale for found in compared(drawn.image, drawn.template, guideline=brief_one).findings]
    assert texts
    assert all(len(text.split()) <= 12 for text in texts)


@pytest.mark.parametrize(
    ("at_least", "severity"),
    [((1.0, 10.0, 90.0), Severity.MAJOR), ((1.0, 10.0, 20.0), Severity.CRITICAL), ((90.0, 95.0, 99.0), Severity.MINOR)],
)
def test_the_guidelines_anchors_decide_how_bad_a_mousebite_is(
    at_least: tuple[float, float, float], severity: Severity
) -> None:
    """A notch of about half the trace's width, under anchors in per cent of that width."""
    criterion = a_criterion("M", measures=(Defect.MOUSEBITE,), unit="%", at_least=at_least)
    drawn = board(seed=2, defects=(Defect.MOUSEBITE,))
    (found,) = compared(drawn.image, drawn.template, guideline=a_guideline(criterion)).findings
    assert (found.criterion_id, found.severity) == ("M", severity)


def test_a_kind_that_the_guideline_lacks_is_uncovered() -> None:
    drawn = board(seed=2, defects=(Defect.SPUR,))
    only_opens = a_guideline(a_criterion("O", measures=(Defect.OPEN,)))
    (found,) = compared(drawn.image, drawn.template, guideline=only_opens).findings
    assert found.criterion_id == UNCOVERED
    assert not found.rationale.endswith("Novel pattern.")


def test_only_the_asked_place_is_reported() -> None:
    drawn = board(seed=5)
    for planted in drawn.planted:
        found = compared(drawn.image, drawn.template, box=planted.box).findings
        assert planted.defect in {one.criterion_id for one in found}
        assert len(found) < len(drawn.planted)


def test_the_template_of_another_board_gives_a_note_alone() -> None:
    drawn = board(seed=6)
    other = np.ascontiguousarray(np.rot90(board(seed=7).template[150:450, 150:450]))
    inspection = compared(drawn.image, other)
    assert inspection.findings == ()
    assert inspection.notes[0].startswith("The reference shows another scene")


def bent(pixels: Pixels, *, spread_px: float, most_px: float, seed: int) -> Pixels:
    """Every pixel taken from up to `most_px` away, alike within `spread_px`."""
    random = np.random.default_rng(seed)
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    away = [cv2.GaussianBlur(random.normal(0, 1, (height, width)).astype(np.float32), (0, 0), spread_px) for _ in "xy"]
    across, down = (most_px * one / np.abs(one).max() for one in away)
    return np.asarray(
        cv2.remap(pixels, columns + across, rows + down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


@pytest.mark.parametrize(("spread_px", "most_px"), [(20.0, 4.0), (40.0, 5.0), (1.5, 3.0)])
@pytest.mark.parametrize("seed", range(2))
def test_places_that_lie_off_and_frayed_edges_are_no_defects(spread_px: float, most_px: float, seed: int) -> None:
    plain = board(seed=seed, defects=())
    assert compared(bent(plain.image, spread_px=spread_px, most_px=most_px, seed=seed), plain.template).findings == ()


@pytest.mark.parametrize("seed", range(2))
def test_defects_stay_where_the_scan_lies_off(seed: int) -> None:
    drawn = board(seed=seed)
    found = compared(bent(drawn.image, spread_px=40.0, most_px=3.0, seed=seed), drawn.template).findings
    assert len(found) == len(drawn.planted)
