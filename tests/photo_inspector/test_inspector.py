"""The built-in inspector from brief to findings."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from builders import a_criterion, a_guideline, an_image
from photo_inspector.catalogue import MEASURES
from photo_inspector.inspector import BuiltinInspector
from pictures import blurred, compressed, gained, grained, scene, smeared
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.suggestion import Brief, Finding

EVERYTHING = a_guideline(*(a_criterion(m.name, label=m.name, measures=(m.name,)) for m in MEASURES))


def _inspect(pixels: Pixels, *, box: Box | None = None) -> dict[str, Finding]:
    inspection = BuiltinInspector().inspect(Brief(an_image(pixels), EVERYTHING, box=box))
    return {finding.criterion_id: finding for finding in inspection.findings}


def _blotted(pixels: Pixels) -> Pixels:
    out = pixels.copy()
    out[20:110, 30:150] = 255
    return out


def _framed(pixels: Pixels) -> Pixels:
    out = pixels.copy()
    out[:40] = out[-40:] = 0
    return out


def _tinted(pixels: Pixels) -> Pixels:
    return np.asarray(np.clip(pixels * 0.3 + np.array([150, 90, 10]), 0, 255), np.uint8)


@pytest.mark.parametrize(
    ("criterion", "pixels"),
    [
        ("defocus", blurred(scene(), sigma_px=3)),
        ("motion_blur", smeared(scene(), length_px=11)),
        ("over_exposure", gained(scene(), factor=2.6)),
        ("under_exposure", gained(scene(), factor=0.2)),
        ("clipped_highlights", _blotted(scene())),
        ("noise", grained(scene(), sigma=15)),
        ("compression", compressed(scene(), quality=8)),
        ("colour_cast", _tinted(scene())),
        ("border", _framed(scene())),
    ],
)
def test_each_flaw_is_found_and_worded(criterion: str, pixels: Pixels) -> None:
    finding = _inspect(pixels)[criterion]
    assert finding.score >= 0.5
    assert finding.evidence["measure"] == criterion
    assert not finding.rationale.endswith(f"{criterion}.")
    assert len(finding.rationale.split()) <= EVERYTHING.rationale.max_words
    assert any(character.isdigit() for character in finding.rationale)


def test_a_clean_scene_has_no_flaw() -> None:
    assert _inspect(scene()) == {}


@pytest.mark.parametrize("seed", range(8, 12))
def test_no_tint_lies_over_a_picture_that_is_partly_without_color(seed: int) -> None:
    assert "colour_cast" not in _inspect(scene(seed=seed))


def test_local_flaws_have_a_tight_box_and_name_the_place() -> None:
    finding = _inspect(_blotted(scene()))["clipped_highlights"]
    assert finding.box is not None
    assert finding.box.iou(Box(30 / 480, 20 / 320, 120 / 480, 90 / 320)) > 0.8
    assert finding.rationale.startswith("Upper left")


def test_the_guideline_decides_what_is_looked_for_and_how_bad_it_is() -> None:
    strict = a_criterion("MY-1", label="Soft", measures=("defocus",), unit="px of blur", at_least=(0.5, 1.0, 2.0))
    inspection = BuiltinInspector().inspect(Brief(an_image(blurred(scene(), sigma_px=3)), a_guideline(strict)))
    (finding,) = inspection.findings
    assert (finding.criterion_id, finding.severity) == ("MY-1", Severity.CRITICAL)
    foreign = a_criterion("MY-1", label="Soft", measures=("defocus",), unit="furlongs", at_least=(90, 91, 92))
    (built_in,) = (
        BuiltinInspector().inspect(Brief(an_image(blurred(scene(), sigma_px=3)), a_guideline(foreign))).findings
    )
    assert built_in.severity is Severity.MAJOR


def test_a_rationale_keeps_to_the_words_allowed() -> None:
    brief = Brief(
        an_image(blurred(scene(), sigma_px=3)),
        a_guideline(a_criterion(label="Soft", measures=("defocus",)), max_words=8),
    )
    (finding,) = BuiltinInspector().inspect(brief).findings
    assert len(finding.rationale.split()) <= 8


@pytest.mark.parametrize("size", [(1, 1), (2, 8000), (3, 3), (17, 5)])
def test_tiny_and_odd_images_are_handled(size: tuple[int, int]) -> None:
    for level in (0, 128, 255):
        findings = _inspect(np.full((*size, 3), level, np.uint8))
        assert all(0 <= f.score <= 1 for f in findings.values())


def test_a_panorama_of_100_megapixels_is_measured_in_a_fraction_of_its_own_memory() -> None:
    """20 000 x 5 000 px, as a view that repeats one column, so that only what the inspector takes is counted."""
    column = np.repeat(scene()[:, :1], 16, axis=0)[:5000]
    panorama = np.broadcast_to(column, (5000, 20_000, 3))
    image = ReviewImage("panorama.png", b"", "", "PNG", 20_000, 5000, lambda _longest: panorama)
    tracemalloc.start()
    BuiltinInspector().inspect(Brief(image, EVERYTHING))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 0.25 * panorama.size


@pytest.mark.parametrize(("level", "flaw"), [(0, "under_exposure"), (255, "over_exposure"), (128, "empty_frame")])
def test_a_frame_of_one_tone_is_too_dark_too_light_or_empty(level: int, flaw: str) -> None:
    found = _inspect(np.full((480, 640, 3), level, np.uint8))
    assert found[flaw].severity is Severity.CRITICAL
    others = set(found) - {flaw, "low_resolution"}
    assert others <= {"clipped_highlights", "crushed_shadows"}


def test_a_box_is_measured_by_itself() -> None:
    """The Magic tool gets the likeliest criterion for its box, and nothing where nothing is wrong."""
    pixels = scene()
    pixels[:, :240] = blurred(pixels, sigma_px=4)[:, :240]
    left, right = Box(0.0, 0.0, 0.45, 1.0), Box(0.55, 0.0, 0.45, 1.0)
    found = _inspect(pixels, box=left)
    assert set(found) == {"defocus"}
    assert found["defocus"].box == left
    assert _inspect(pixels, box=right) == {}


@pytest.mark.parametrize(("level", "measure"), [(255, "clipped_highlights"), (0, "crushed_shadows")])
def test_what_is_pure_white_or_black_is_not_called_soft(level: int, measure: str) -> None:
    """A burned-out lamp has no fine detail either, but that says nothing of the focus."""
    pixels = scene()
    cv2.circle(pixels, (120, 110), 60, (level, level, level), -1)
    assert set(_inspect(pixels, box=Box(0.05, 0.05, 0.4, 0.6))) == {measure}


def test_a_box_outside_the_image_is_said() -> None:
    brief = Brief(an_image(scene()), EVERYTHING, box=Box(2.0, 2.0, 0.1, 0.1))
    inspection = BuiltinInspector().inspect(brief)
    assert inspection.findings == ()
    assert inspection.dropped[0].what == "box"


def test_the_version_is_a_stable_hash() -> None:
    assert BuiltinInspector().version == BuiltinInspector().version
    assert len(BuiltinInspector().version) == 12


def test_lettering_in_two_places_says_what_all_of_it_takes() -> None:
    """The severity goes by all of it, and is counted once."""
    pixels = np.full((480, 640, 3), 110, np.uint8)
    for words, at in (("14 08 2019", (30, 60)), ("14 08 2019", (400, 450))):
        cv2.putText(pixels, words, at, cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 160, 40), 2, cv2.LINE_AA)
    guideline = a_guideline(a_criterion("text", label="Text", measures=("overlay",)))
    found = BuiltinInspector().inspect(Brief(an_image(pixels), guideline)).findings
    assert len(found) == 2
    assert all("and all such lettering" in finding.rationale for finding in found)
    assert sorted(finding.severity.rank for finding in found) == [0, 1]
