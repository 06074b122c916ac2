"""Who examines each criterion, and what makes a guideline hard to follow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import a_criterion, a_guideline
from review_copilot.domain.guideline import Guideline, VerdictRule
from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Scope
from review_copilot.library import guideline_names, load_guideline
from review_copilot.suggest.examiners import examiners_of, warnings_of, wrong_measures

CATALOGUE = (
    Measure("defocus", "px of blur", Scope.IMAGE),
    Measure("noise", "gray levels", Scope.IMAGE),
    Measure("overlay", "% of the picture", Scope.REGION),
)


def of_measures(*names: str, unit: str = "") -> Guideline:
    return a_guideline(replace(a_criterion("C-1", label="Flaw", measures=names), unit=unit))


def test_a_criterion_is_examined_by_its_measures_by_a_model_or_by_nobody() -> None:
    guideline = a_guideline(
        a_criterion("C-1", label="Soft", measures=("defocus", "unknown")), a_criterion("C-2", label="Odd", measures=())
    )
    measured = examiners_of(guideline, catalogue=CATALOGUE, model=False)
    assert [(e.words, e.nobody) for e in measured] == [("measures defocus", False), ("nobody", True)]
    hybrid = examiners_of(guideline, catalogue=CATALOGUE, model=True)
    assert [e.words for e in hybrid] == ["measures defocus and the model", "the model"]
    assert not any(e.nobody for e in examiners_of(guideline, catalogue=(), model=True))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("blur", "did you mean defocus?"),
        ("watermark", "did you mean overlay?"),
        ("nosie", "did you mean noise?"),
        ("sharpness_of_the_eyes", "guideline measures"),
    ],
)
def test_an_unknown_measure_names_the_nearest(name: str, hint: str) -> None:
    (problem,) = wrong_measures(of_measures(name), CATALOGUE)
    assert problem.startswith(f'C-1: there is no measure "{name}"')
    assert hint in problem


def test_numbers_in_a_unit_that_no_measure_has_are_reported() -> None:
    numbered = load_guideline("photo-quality").criteria[0]
    guideline = a_guideline(replace(numbered, measures=("defocus",), unit="inches"))
    (problem,) = wrong_measures(guideline, CATALOGUE)
    assert "'px of blur'" in problem
    assert not list(wrong_measures(a_guideline(replace(numbered, measures=("defocus",), unit="px of blur")), CATALOGUE))


def test_vague_words_and_missing_counterexamples_are_warned_of() -> None:
    criterion = replace(
        a_criterion("C-1", label="Flaw"), definition="The image has no appropriate light.", do_not_flag_when=()
    )
    found = list(warnings_of(a_guideline(criterion)))
    assert any('"appropriate"' in warning for warning in found)
    assert any("do_not_flag_when" in warning for warning in found)


def test_overlapping_definitions_are_warned_of() -> None:
    one = replace(a_criterion("C-1", label="Soft"), definition="The main subject of the image is out of focus.")
    other = replace(a_criterion("C-2", label="Blur"), definition="The main subject of this image is out of focus.")
    assert any("C-1 and C-2" in warning for warning in warnings_of(a_guideline(one, other)))


@pytest.mark.parametrize(
    ("fail", "discuss", "reached"),
    [
        ({"critical": 1}, {"major": 1}, True),
        ({"major": 1}, {"major": 1}, False),
        ({"major": 2}, {"major": 1}, True),
        ({"minor": 1}, {"major": 1}, False),
        ({"uncovered": 1}, {"uncovered": 1}, False),
        ({"critical": 1}, {"uncovered": 1}, True),
    ],
)
def test_a_rule_that_is_never_reached_is_warned_of(
    fail: dict[str, int],
    discuss: dict[str, int],
    reached: bool,  # noqa: FBT001  # parametrized
) -> None:
    guideline = replace(a_guideline(a_criterion()), verdict=VerdictRule("As given.", fail, discuss))
    assert any("never reached" in warning for warning in warnings_of(guideline)) is not reached


@pytest.mark.parametrize("name", guideline_names())
def test_shipped_guidelines_have_no_overlapping_criteria_and_no_unreachable_rule(name: str) -> None:
    found = list(warnings_of(load_guideline(name)))
    assert not [warning for warning in found if "overlap" in warning or "never reached" in warning]
