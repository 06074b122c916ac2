"""Nouns for tests, with sensible defaults. Nothing here is tested for itself."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

from review_copilot.domain.guideline import (
    Criterion,
    Guideline,
    NovelPattern,
    RationaleStyle,
    Severity,
    SeverityAnchor,
    VerdictRule,
)
from review_copilot.domain.image import Pixels, ReviewImage


def an_image(pixels: Pixels) -> ReviewImage:
    """A review image, as PNG, of the given upright RGB pixels."""
    ok, data = cv2.imencode(".png", pixels[:, :, ::-1])
    assert ok

    def decode(longest_px: int | None) -> Pixels:
        if longest_px is None or max(pixels.shape[:2]) <= longest_px:
            return pixels.copy()
        factor = longest_px / max(pixels.shape[:2])
        return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)

    return ReviewImage(
        source="drawn.png",
        data=data.tobytes(),
        sha256=hashlib.sha256(data.tobytes()).hexdigest(),
        format="PNG",
        width_px=pixels.shape[1],
        height_px=pixels.shape[0],
        decode=decode,
    )


def a_criterion(
    criterion_id: str = "C-01",
    *,
    label: str = "Flaw",
    measures: tuple[str, ...] = (),
    unit: str = "",
    at_least: tuple[float, float, float] | None = None,
) -> Criterion:
    """A criterion with anchors in words, and in numbers where `at_least` gives them for minor, major, critical."""
    numbers = at_least or (None, None, None)
    anchors = {s: SeverityAnchor(f"{s} {label}", n) for s, n in zip(Severity, numbers, strict=True)}
    return Criterion(
        id=criterion_id,
        label=label,
        definition=f"{label} can be seen.",
        flag_when=("it disturbs",),
        do_not_flag_when=("it is intended",),
        severity=anchors,
        unit=unit,
        rationale="Name the place and the number.",
        measures=measures,
    )


def a_guideline(*criteria: Criterion, max_words: int = 40) -> Guideline:
    """A guideline of the given criteria; one critical finding fails the image."""
    return Guideline(
        id="drawn",
        title="Drawn guideline",
        version="1.0",
        purpose="For tests.",
        criteria=criteria,
        novel=NovelPattern("Novel pattern", "Nothing above fits."),
        verdict=VerdictRule("One critical fails.", fail={"critical": 1}, discuss={"major": 1}),
        rationale=RationaleStyle(max_words, "Place, evidence, criterion."),
        revision="000000000000",
    )
