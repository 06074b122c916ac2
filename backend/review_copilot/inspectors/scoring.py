"""How sure a finding is: never by a model's word alone. Pure numbers.

Models praise their own answers (self-reported confidence is poorly calibrated: Xiong et al., arXiv 2306.13063), so a
score starts half from the model's confidence and half from how often its family is right, and moves by what was checked
independently: a second look at the crop, a measurement. The weights are defaults until reviewers' overrides give better
ones.
"""

from __future__ import annotations

import math

_CONFIDENCE_WEIGHT = 0.5
_LOOK_LOG_ODDS = 1.5
_MEASURED_WEIGHT = 0.6
_UNCONFIRMED_WEIGHT = 0.6
_LEAST, _MOST = 0.01, 0.99


def first_score(*, confidence: float, trust: float) -> float:
    """The score of a finding that nobody has checked.

    Args:
        confidence: The model's own, 0..1.
        trust: Share of its family's findings that hold, 0..1.
    """
    return _within(_CONFIDENCE_WEIGHT * confidence + (1 - _CONFIDENCE_WEIGHT) * trust)


def after_second_look(score: float, *, visible: bool, sure: float) -> float:
    """The score after a second look: log-odds moved by at most 1.5 either way.

    Args:
        score: Before, 0..1.
        visible: Whether the flaw was seen again.
        sure: How sure the second look was, 0..1.
    """
    odds = math.log(_within(score) / (1 - _within(score)))
    moved = odds + (_LOOK_LOG_ODDS if visible else -_LOOK_LOG_ODDS) * sure
    return _within(1 / (1 + math.exp(-moved)))


def with_measurement(score: float, *, measured: float) -> float:
    """The score of a finding that a measurement confirms: noisy-or, the measurement weighted by 0.6.

    Args:
        score: Before, 0..1.
        measured: The measurement's own score, 0..1.
    """
    return _within(1 - (1 - score) * (1 - _MEASURED_WEIGHT * measured))


def unconfirmed(measured: float) -> float:
    """The score of a measured finding that a model was shown and did not report: lowered, and still above most cuts.

    Args:
        measured: The measurement's own score, 0..1.
    """
    return _within(_UNCONFIRMED_WEIGHT * measured)


def _within(score: float) -> float:
    return min(_MOST, max(_LEAST, score))
