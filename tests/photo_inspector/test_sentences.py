"""No sentence contradicts itself, whatever was measured; text, evidence and anchors name one quantity and one unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import an_image
from photo_inspector.catalogue import MEASURES, PhotoMeasure, anchor_for, criterion_for, severity_for, with_unit
from photo_inspector.inspector import BuiltinInspector
from photo_inspector.pixels.frame import build_frame
from photo_inspector.scoring.features import of_whole
from photo_inspector.scoring.judge_places import read_places
from photo_inspector.scoring.judge_whole import read_whole
from photo_inspector.scoring.measured import measure_places, measure_whole
from photo_inspector.wording import counted, number, place_of, rationale
from pictures import blurred, compressed, gained, grained, scene, smeared
from review_copilot.domain.image import Pixels
from review_copilot.library import load_guideline
from review_copilot.plugin import Box, Brief, Finding

GUIDELINE = load_guideline("photo-quality")
BANNED = ("Lab", "middle grey", "middle gray", "of 255", "stops above", "stops below", "grey", "colour", "1 times")
SHOWN = {"clipped_highlights", "crushed_shadows"}


def _flat(pixels: Pixels, amount: float) -> Pixels:
    return np.asarray(110 + (pixels.astype(float) - 110) * (1 - amount), np.uint8)


def _tint(pixels: Pixels, amount: float) -> Pixels:
    return np.clip(pixels * (1 + amount * np.array([0.5, 0.0, -0.5])), 0, 255).astype(np.uint8)


def _bars(pixels: Pixels, amount: float) -> Pixels:
    out, deep = pixels.copy(), 2 + int(60 * amount)
    out[:deep] = out[-deep:] = 0
    return out


def _white(pixels: Pixels, amount: float) -> Pixels:
    out = pixels.copy()
    out[40 : 60 + int(200 * amount), 60 : 100 + int(300 * amount)] = 255
    return out


def _lines(pixels: Pixels, amount: float) -> Pixels:
    out = pixels.copy()
    for at in range(1 + int(6 * amount)):
        out[:, 60 * at + 31] = 235
    return out


FLAWS: Mapping[str, Callable[[Pixels, float], Pixels]] = {
    "blur": lambda pixels, amount: blurred(pixels, sigma_px=0.5 + 6 * amount),
    "smear": lambda pixels, amount: smeared(pixels, length_px=3 + int(30 * amount)),
    "light": lambda pixels, amount: gained(pixels, factor=1 + 3 * amount),
    "dark": lambda pixels, amount: gained(pixels, factor=max(0.02, 1 - amount)),
    "grain": lambda pixels, amount: grained(pixels, sigma=2 + 35 * amount),
    "jpeg": lambda pixels, amount: compressed(pixels, quality=round(1 + 60 * (1 - amount))),
    "flat": _flat,
    "tint": _tint,
    "bars": _bars,
    "white": _white,
    "lines": _lines,
}
KINDS = tuple(FLAWS)


def flawed(kind: str, amount: float) -> Pixels:
    """A scene with one flaw of an amount of 0..1."""
    return FLAWS[kind](scene(seed=5), amount)


def readable(text: str) -> None:
    """What no sentence may say."""
    assert not [word for word in BANNED if re.search(rf"(?<![\w.]){re.escape(word)}\b", text)], text
    assert not re.search(r"(?<![\d.])1 (stops|degrees|gray levels|marks|lines)\b", text), text
    assert "one of 1 " not in text, text
    assert not re.search(r"(?<![\d.])0 (px|%|stops|times|degrees)\b", text), text
    assert not re.search(r"-\d", text), text


@settings(max_examples=12, deadline=None)
@given(kind=st.sampled_from(KINDS), amount=st.floats(0, 1))
def test_no_reading_however_unlikely_contradicts_itself(kind: str, amount: float) -> None:
    """All readings are looked at, also those that are too unlikely to be reported."""
    frame = build_frame(flawed(kind, amount))
    whole = measure_whole(frame)
    places = measure_places(frame, wanted=frozenset(m.name for m in MEASURES))
    for reading in [*read_whole(whole, saved_quality=None), *read_places(places, whole=of_whole(whole), soft_px=1.0)]:
        if reading.score > 0.02:
            readable(rationale(box=reading.box, evidence=reading.text, max_words=60))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("amount", [0.35, 0.8])
def test_evidence_opens_with_the_measurement_and_the_anchor_that_it_passed(kind: str, amount: float) -> None:
    for finding in BuiltinInspector().inspect(Brief(an_image(flawed(kind, amount)), GUIDELINE)).findings:
        first, *rest = finding.evidence
        assert first == "measured"
        measured = str(finding.evidence["measured"])
        assert measured == with_unit(measured.split(maxsplit=1)[0], unit_of(finding))
        readable(measured)
        if "anchor" in rest:
            assert rest[0] == "anchor"
            passed = re.fullmatch(
                rf"{finding.severity.value} (in any amount|from (\S+) .+)", str(finding.evidence["anchor"])
            )
            assert passed
            assert not passed[2] or passed[1] == f"from {with_unit(passed[2], unit_of(finding))}"
            readable(passed[0])
        label = GUIDELINE.label_of(finding.criterion_id)
        assert not finding.rationale.endswith(f"{label}.")
        readable(finding.rationale)


def unit_of(finding: Finding) -> str:
    return next(m.unit for m in MEASURES if m.name == finding.evidence["measure"])


@pytest.mark.parametrize("kind", ["blur", "light", "dark", "grain", "jpeg", "tint", "bars", "white"])
def test_the_text_names_the_number_that_was_compared_with_the_anchors(kind: str) -> None:
    findings = BuiltinInspector().inspect(Brief(an_image(flawed(kind, 0.6)), GUIDELINE)).findings
    assert findings
    for finding in findings:
        amount = str(finding.evidence["measured"]).split()[0]
        if finding.evidence["measure"] != "low_resolution":
            assert re.search(rf"(?<![\d.]){re.escape(amount)}(?![\d])", finding.rationale), finding


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
@pytest.mark.parametrize("off", [-0.01, 0.0, 0.01])
def test_the_anchor_named_is_the_one_that_decided_the_severity(measure: PhotoMeasure, off: float) -> None:
    criterion = criterion_for(GUIDELINE, measure.name)
    assert criterion is not None
    for step in measure.steps:
        strength = max(0.0, step + off)
        named = anchor_for(criterion, measure.name, strength)
        assert not named or named.startswith(severity_for(criterion, measure.name, strength).value)


@pytest.mark.parametrize("measure", [m for m in MEASURES if m.older], ids=lambda measure: measure.name)
def test_a_guideline_with_an_older_name_of_a_unit_keeps_its_anchors(measure: PhotoMeasure) -> None:
    criterion = criterion_for(GUIDELINE, measure.name)
    assert criterion is not None
    for older in measure.older:
        old = replace(criterion, unit=older)
        for strength in (*measure.steps, 0.5 * measure.steps[0]):
            assert severity_for(old, measure.name, strength) is severity_for(criterion, measure.name, strength)
            assert anchor_for(old, measure.name, strength) == anchor_for(criterion, measure.name, strength)


@pytest.mark.parametrize(
    ("shown", "unit", "words"),
    [("1", "marks", "1 mark"), ("4", "marks", "4 marks"), ("1", "gray levels a step", "1 gray level a step"),
     ("1", "px of blur", "1 px of blur"), ("1", "% of the picture", "1 % of the picture")],
)  # fmt: skip
def test_a_number_and_its_unit_agree(shown: str, unit: str, words: str) -> None:
    assert with_unit(shown, unit) == words


def test_an_anchor_of_nothing_is_passed_by_any_amount() -> None:
    criterion = criterion_for(GUIDELINE, "overlay")
    assert criterion is not None
    assert anchor_for(criterion, "overlay", 1.9) == "minor in any amount"


def test_a_letterbox_is_one_finding() -> None:
    findings = BuiltinInspector().inspect(Brief(an_image(flawed("bars", 0.5)), GUIDELINE)).findings
    (bars,) = (f for f in findings if f.evidence["measure"] == "border")
    assert "top and bottom" in bars.rationale


def test_marks_that_count_together_carry_their_count_once() -> None:
    findings = BuiltinInspector().inspect(Brief(an_image(flawed("lines", 0.8)), GUIDELINE)).findings
    lines = [f for f in findings if f.evidence["measure"] == "scratch"]
    assert len(lines) >= 4
    assert sorted(f.severity.rank for f in lines)[-2] == 0


@given(st.floats(0, 1e6, allow_nan=False))
def test_a_count_and_its_noun_agree(value: float) -> None:
    assert counted(value, "mark").endswith(" mark") == (number(value) == "1")


@given(*[st.floats(0, 1) for _ in range(4)])
def test_every_place_has_a_name(x: float, y: float, width: float, height: float) -> None:
    assert place_of(Box(x, y, width * (1 - x), height * (1 - y)))
