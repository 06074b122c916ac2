"""Lettering laid over a picture: what is proposed, how it is measured, and which piece is reported."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from photo_inspector.lettering.overlay import Lettering, ink_of
from photo_inspector.networks import text_detector
from photo_inspector.networks.text_detector import WEIGHTS_SHA256, text_lines
from photo_inspector.pixels.frame import build_frame
from photo_inspector.scoring.judge_lettering import laid_over
from pictures import lettering_in, scene
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.plugin import InspectorUnavailable

TEXT = Box(130 / 480, 140 / 320, 210 / 480, 32 / 320)
"""Where `written` puts its letters."""


def ramp() -> Pixels:
    """A smooth picture that grows lighter to the right."""
    return np.repeat(np.tile(np.linspace(60, 150, 480), (320, 1)).astype(np.uint8)[..., None], 3, axis=2)


def written(pixels: Pixels, *, level: float = 255.0, share: float = 1.0, slant_deg: float = 0.0) -> Pixels:
    """SAMPLE 12 in the middle, mixed with the ground by a share."""
    ink = np.zeros(pixels.shape[:2], np.uint8)
    cv2.putText(ink, "SAMPLE 12", (132, 170), cv2.FONT_HERSHEY_DUPLEX, 1.2, 255, 2, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((240, 160), slant_deg, 1.0)
    ink = np.asarray(cv2.warpAffine(ink, turn, (480, 320)), np.uint8)
    alpha = share * ink.astype(np.float32)[..., None] / 255
    return np.clip(pixels + (level - pixels.astype(np.float32)) * alpha, 0, 255).astype(np.uint8)


def nearest(found: tuple[Lettering, ...], box: Box) -> Lettering:
    return max(found, key=lambda one: one.box.iou(box))


@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("ground", ["ramp", "scene"])
def test_a_line_is_boxed_once_and_told(share: float, ground: str) -> None:
    pixels = written(ramp() if ground == "ramp" else scene(seed=3), share=share)
    (first, score), *rest = laid_over(lettering_in(pixels))
    assert first.box.iou(TEXT) > 0.5
    assert score > 0.5
    assert all(one.box.iou(first.box) < 0.5 for one, _ in rest)


def test_a_slanting_line_is_one_line_and_knows_its_slant() -> None:
    lines = text_lines(build_frame(written(ramp(), slant_deg=25)))
    assert len(lines) == 1
    assert lines[0].slant_deg == pytest.approx(25, abs=4)


@pytest.mark.parametrize(("level", "light"), [(255.0, True), (0.0, False)])
@pytest.mark.parametrize("share", [0.4, 0.7, 1.0])
def test_the_veil_is_the_share_that_was_mixed_in(level: float, share: float, light: bool) -> None:  # noqa: FBT001
    ink = ink_of(written(ramp(), level=level, share=share), TEXT)
    assert ink.veil == pytest.approx(share, abs=0.13)
    assert ink.rest < 0.25
    assert ink.light is light


def test_repeats_know_their_twins() -> None:
    pixels = ramp()
    for y in (60, 160, 260):
        for x in (30, 260):
            cv2.putText(pixels, "SAMPLE", (x, y), cv2.FONT_HERSHEY_DUPLEX, 1.1, (235,) * 3, 2, cv2.LINE_AA)
    assert max(one.twins for one in lettering_in(pixels)) >= 4


@pytest.mark.parametrize("size", [(1, 1), (3, 60), (60, 3)])
def test_a_box_too_small_to_measure_has_no_ink(size: tuple[int, int]) -> None:
    assert ink_of(np.full((*size, 3), 90, np.uint8), Box(0, 0, 1, 1)).contrast == 0


def test_no_lettering_in_a_plain_picture() -> None:
    assert lettering_in(ramp()) == ()
    assert laid_over(()) == []


@pytest.mark.parametrize("wrong", ["missing", "other"])
def test_without_the_right_weights_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    name, value = ("WEIGHTS", "models/none.onnx") if wrong == "missing" else ("WEIGHTS_SHA256", WEIGHTS_SHA256[::-1])
    monkeypatch.setattr(text_detector, name, value)
    with pytest.raises(InspectorUnavailable) as raised:
        text_detector._detector.__wrapped__()
    assert "pip install" in raised.value.hint
