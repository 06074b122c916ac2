"""How boxes are drawn around fine things: by their own pixels, by what squares agree on, each thing once."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage import data

from photo_inspector.inspector import BuiltinInspector
from photo_inspector.marks.slender import slender_edges
from photo_inspector.pixels.frame import Gray
from photo_inspector.pixels.parts import Ints
from photo_inspector.pixels.votes import MOST_ELECTED, Votes, backing, edges_of, elected
from photo_inspector.scoring.merge_marks import lines_once
from photo_inspector.scoring.second_look import Look
from pictures import lines_in
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.suggestion import Brief, Finding
from review_copilot.library import load_guideline


def votes(*rows: tuple[float, float, float, float, float]) -> Votes:
    values = np.array(rows, np.float32).reshape(-1, 5)
    return Votes(values[:, :4], values[:, 4], *(np.arange(len(rows)),) * 2, (10, 20))


def test_squares_that_agree_elect_one_box_by_weight() -> None:
    found = elected(
        votes(
            (0.1, 0.1, 0.3, 0.2, 0.9), (0.6, 0.6, 0.9, 0.9, 0.8), (0.1, 0.1, 0.34, 0.2, 0.3), (0.6, 0.6, 0.9, 0.9, 0.7)
        )
    )
    assert [one.weight for one in found] == pytest.approx([1.5, 1.2])
    assert [one.squares.tolist() for one in found] == [[1, 3], [0, 2]]
    assert found[0].box.iou(Box(0.6, 0.6, 0.3, 0.3)) > 0.999
    assert found[1].box.right == pytest.approx(0.3 + 0.04 * 0.3 / 1.2)


def test_nobody_elects_nothing_and_of_many_the_weightiest_are_kept() -> None:
    assert elected(votes()) == ()
    many = [(x / 100, 0.5, x / 100 + 0.005, 0.6, 0.3 + x / 200) for x in range(90, 0, -1)]
    found = elected(votes(*many))
    assert len(found) == MOST_ELECTED
    assert min(one.weight for one in found) == pytest.approx(0.3 + 51 / 200)


def test_a_box_is_backed_by_those_that_elected_one_like_it() -> None:
    chosen = elected(votes((0.0, 0.0, 0.5, 0.1, 0.8), (0.0, 0.0, 0.5, 0.1, 0.8), (0.6, 0.6, 0.7, 0.7, 0.5)))
    boxes = edges_of([Box(0.0, 0.0, 0.5, 0.1), Box(0.0, 0.0, 0.25, 0.1), Box(0.8, 0.0, 0.1, 0.1)])
    assert backing(boxes, chosen, thin=True) == pytest.approx([1.6 / 10, 0.8 / 10, 0])
    assert backing(boxes, chosen, thin=False) == pytest.approx([1.6 / (10 * 1), 0.8 / (10 * 1), 0])
    assert backing(boxes, (), thin=True).tolist() == [0, 0, 0]


def pixels_of(mask: Gray) -> tuple[Ints, Ints]:
    rows, columns = np.nonzero(mask)
    return columns, rows


def test_an_upright_scratch_is_boxed_without_the_edges_that_it_crosses() -> None:
    mask = np.zeros((200, 100), np.uint8)
    mask[10:190, 50:52] = 1
    mask[80:82, 30:70] = mask[150, 52:60] = 1
    rise = np.where(mask[mask > 0], 40, 0).astype(np.float32)
    assert slender_edges(*pixels_of(mask), rise) == (50, 10, 52, 190)
    flipped = mask.T
    assert slender_edges(*pixels_of(flipped), rise) == (10, 50, 190, 52)


def test_a_slender_slanting_line_keeps_its_reach_and_a_broad_part_is_left_as_it_is() -> None:
    mask = np.zeros((200, 100), np.uint8)
    cv2.line(mask, (40, 5), (65, 195), 1)
    columns, rows = pixels_of(mask)
    left, top, right, bottom = slender_edges(columns, rows, np.full(columns.size, 30, np.float32))
    assert (top, bottom) == (5, 196)
    assert left <= 42
    assert right >= 64
    broad = np.zeros((60, 60), np.uint8)
    cv2.ellipse(broad, (30, 30), (20, 14), 0, 0, 270, 1)
    assert slender_edges(*pixels_of(broad), np.ones(int(broad.sum()), np.float32)) == (
        *cv2.boundingRect(broad)[:2],
        int(np.flatnonzero(broad.any(axis=0))[-1]) + 1,
        int(np.flatnonzero(broad.any(axis=1))[-1]) + 1,
    )


def scratches_in(pixels: Pixels) -> list[Finding]:
    """What is reported as a scratch."""
    encoded = cv2.imencode(".png", np.ascontiguousarray(pixels[:, :, ::-1]))[1].tobytes()
    height, width = pixels.shape[:2]
    image = ReviewImage("one", encoded, "", "PNG", width, height, lambda _longest: pixels)
    found = BuiltinInspector().inspect(Brief(image, load_guideline("photo-quality"))).findings
    return [one for one in found if one.evidence["measure"] == "scratch"]


def test_one_scratch_over_a_photograph_is_reported_once() -> None:
    """Masks break it where it crosses the scene, and see it both as a line and as a hair."""
    pixels = np.asarray(data.cat()).copy()  # type: ignore[no-untyped-call]  # scikit-image
    height, width = pixels.shape[:2]
    assert scratches_in(pixels.copy()) == []
    cv2.line(pixels, (45, 270), (316, 30), (245, 245, 245), 2, cv2.LINE_AA)
    (only,) = scratches_in(pixels)
    assert only.box is not None
    assert only.box.iou(Box(44 / width, 29 / height, 274 / width, 243 / height)) > 0.7


def test_parts_of_a_line_are_dropped_and_what_crosses_it_is_not() -> None:
    pixels = np.full((320, 480, 3), 110, np.uint8)
    cv2.line(pixels, (40, 300), (440, 40), (235, 235, 235), 2, cv2.LINE_AA)
    cv2.line(pixels, (200, 20), (205, 310), (20, 20, 20), 2, cv2.LINE_AA)
    marks = lines_in(pixels)
    light, dark = (next(mark for mark in marks if (mark.contrast > 0) is bright) for bright in (True, False))
    box = light.box
    part = replace(
        light,
        box=Box(box.x, box.y + box.height / 2, box.width / 2, box.height / 2),
        track=light.track[light.track[:, 0] < box.x + box.width / 2],
        length=light.length / 2,
    )
    kept = lines_once([(part, Look(0.9, 0.6)), (light, Look(0.6, 0.9)), (dark, Look(0.7, 0.9))])
    assert {(mark.contrast > 0, score) for mark, score in kept} == {(True, 0.9), (False, 0.7)}
    assert [mark.box for mark, _ in kept if mark.contrast > 0] == [light.box]
    badly = lines_once([(light, Look(0.6, 0.9)), (dark, Look(0.7, 0.1))])
    assert [mark.box for mark, _ in badly] == [light.box]
    unlikely = [(light, Look(0.01, 0.9)), (part, Look(0.01, 0.9))]
    assert len(lines_once(unlikely)) == 2
