"""Where the marks of a study's charts go, in the units of an SVG's view box. Knows numbers; no markup, no colors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from review_copilot.reports.study_words import day, percent
from review_copilot.study.calibration import Calibration
from review_copilot.study.criterion_rates import Confusion, CriterionStudy, Week
from review_copilot.study.rates import wilson

STEPS = (0.05, 0.1, 0.2, 0.25)


@dataclass(frozen=True)
class Mark:
    """One mark with what it says.

    Attributes:
        x: Center, or left edge of a bar.
        y: Center, or upper edge of a bar.
        width: Of a bar; 0 for a point.
        height: Of a bar; 0 for a point.
        says: Read aloud, and shown on hovering.
    """

    x: float
    y: float
    width: float = 0.0
    height: float = 0.0
    says: str = ""


@dataclass(frozen=True)
class Tick:
    """A number on an axis."""

    at: float
    says: str


@dataclass(frozen=True)
class Trend:
    """Override rate by week with its interval, above the weeks' annotations.

    Attributes:
        line: Points of the rate as an SVG path; weeks without decisions interrupt it.
        band: The 95 % interval as an SVG path.
        points: Marks of the rate.
        bars: Annotations by week.
        rates: Ticks of the upright axis.
        weeks: Ticks of the lower axis.
    """

    line: str
    band: str
    points: tuple[Mark, ...]
    bars: tuple[Mark, ...]
    rates: tuple[Tick, ...]
    weeks: tuple[Tick, ...]


TREND_LEFT, TREND_RIGHT, TREND_TOP, TREND_FLOOR, BARS_FLOOR = 44.0, 432.0, 12.0, 150.0, 192.0


def trend(weeks: Sequence[Week]) -> Trend:
    """The chart of a study's weeks, in a view box of 440 x 220."""
    shown = [w for w in weeks if w.suggestions]
    intervals = {w.start_s: wilson(w.overridden, w.suggestions) for w in shown}
    top = _ceiling(max((high for _, high in intervals.values()), default=0.2))
    step = (TREND_RIGHT - TREND_LEFT) / max(1, len(weeks))
    most = max((w.annotations for w in weeks), default=1) or 1

    def x(i: int) -> float:
        return TREND_LEFT + (i + 0.5) * step

    def y(rate: float) -> float:
        return TREND_FLOOR - (TREND_FLOOR - TREND_TOP) * min(rate, top) / top

    points, bars = [], []
    run: list[tuple[float, Week]] = []
    runs: list[list[tuple[float, Week]]] = []
    for i, week in enumerate(weeks):
        tall = (BARS_FLOOR - TREND_FLOOR - 12) * week.annotations / most
        says = f"Week of {day(week.start_s)}: {week.annotations} annotations"
        bars.append(Mark(x(i) - 0.35 * step, BARS_FLOOR - tall, 0.7 * step, tall, says))
        if not week.suggestions:
            run = []
            continue
        if not run:
            runs.append(run)
        run.append((x(i), week))
        rate = week.overridden / week.suggestions
        said = f"Week of {day(week.start_s)}: {percent(rate)} of {week.suggestions} overridden"
        points.append(Mark(x(i), y(rate), says=said))
    lines, bands = [], []
    for run in runs:
        lines.append(_path([(at, y(w.overridden / w.suggestions)) for at, w in run]))
        upper = [(at, y(intervals[w.start_s][1])) for at, w in run]
        lower = [(at, y(intervals[w.start_s][0])) for at, w in reversed(run)]
        bands.append(_path([*upper, *lower]) + "Z")
    every = max(1, math.ceil(len(weeks) / 5))
    return Trend(
        line=" ".join(lines),
        band=" ".join(bands),
        points=tuple(points),
        bars=tuple(bars),
        rates=tuple(Tick(y(rate), percent(rate)) for rate in _steps(top)),
        weeks=tuple(Tick(x(i), day(w.start_s).rsplit(" ", 1)[0]) for i, w in enumerate(weeks) if i % every == 0),
    )


@dataclass(frozen=True)
class Reliability:
    """What reviewers kept against the score, with the diagonal of a score that means what it says.

    Attributes:
        points: One for each bin that is not empty; its area follows the count, `width` is the radius.
        whiskers: 95 % interval of each point, as upright bars of no width.
        ticks: Ticks of both axes: 0 to 1.
    """

    points: tuple[Mark, ...]
    whiskers: tuple[Mark, ...]
    ticks: tuple[Tick, ...]


RELIABILITY_LEFT, RELIABILITY_FLOOR, RELIABILITY_SIDE = 44.0, 232.0, 216.0


def reliability(of: Calibration) -> Reliability:
    """The reliability diagram in a view box of 280 x 270."""
    most = max((b.count for b in of.bins), default=0) or 1
    points, whiskers = [], []
    for each in of.bins:
        if not each.count:
            continue
        x, y = _right(each.mean_score), _up(each.kept)
        said = f"Score {each.low:.1f} to {each.high:.1f}: {percent(each.kept)} of {each.count} kept"
        points.append(Mark(x, y, width=3 + 5 * math.sqrt(each.count / most), says=said))
        whiskers.append(Mark(x, _up(each.kept_high), height=_up(each.kept_low) - _up(each.kept_high)))
    return Reliability(tuple(points), tuple(whiskers), tuple(Tick(v, f"{v:g}") for v in (0.0, 0.25, 0.5, 0.75, 1.0)))


def _right(share: float) -> float:
    return RELIABILITY_LEFT + RELIABILITY_SIDE * share


def _up(share: float) -> float:
    return RELIABILITY_FLOOR - RELIABILITY_SIDE * share


@dataclass(frozen=True)
class Whisker:
    """One criterion's rate on a scale that all rows share, in a view box of 160 x 20.

    Attributes:
        rate: Where the rate stands.
        low: Lower end of its 95 % interval.
        high: Upper end.
        natural: Width of what is natural here, from the left.
        says: Read aloud.
    """

    rate: float
    low: float
    high: float
    natural: float
    says: str


def whisker(criterion: CriterionStudy, *, top: float) -> Whisker | None:
    """The mark of one criterion; None without suggestions.

    Args:
        criterion: Which.
        top: Rate at the right end, see `scale_top`.
    """
    stand = criterion.standing
    if stand is None or not criterion.suggestions:
        return None

    def x(rate: float) -> float:
        return 4 + 152 * min(rate, top) / top

    says = f"{percent(criterion.rate)}, 95 % interval {percent(stand.rate_low)} to {percent(stand.rate_high)}"
    return Whisker(x(criterion.rate), x(stand.rate_low), x(stand.rate_high), x(stand.natural_high) - 4, says)


def scale_top(criteria: Sequence[CriterionStudy]) -> float:
    """A round rate above every interval of those with enough reviews to be drawn in full."""
    highs = [c.standing.rate_high for c in criteria if c.standing and c.suggestions >= 20]
    return _ceiling(max(highs, default=0.5))


@dataclass(frozen=True)
class Matrix:
    """Relabellings, from criterion (row) to criterion (column).

    Attributes:
        names: Criterion ids that take part, those relabelled most often first.
        cells: Count and shade 0..5 of each cell; shade grows with the share of the greatest cell.
    """

    names: tuple[str, ...]
    cells: tuple[tuple[tuple[int, int], ...], ...]


MOST_IN_MATRIX = 12


def matrix(confusions: Sequence[Confusion]) -> Matrix:
    """The confusion matrix of those criteria that take part in most relabellings."""
    weight: dict[str, int] = {}
    for c in confusions:
        weight[c.suggested] = weight.get(c.suggested, 0) + c.count
        weight[c.submitted] = weight.get(c.submitted, 0) + c.count
    names = sorted(sorted(weight, key=lambda name: -weight[name])[:MOST_IN_MATRIX])
    counts = {(c.suggested, c.submitted): c.count for c in confusions}
    most = max(counts.values(), default=1)
    cells = tuple(tuple((n := counts.get((one, two), 0), math.ceil(5 * n / most)) for two in names) for one in names)
    return Matrix(tuple(names), cells)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _ceiling(rate: float) -> float:
    """The next of 5 %, 10 %, 20 %, 30 % ... above a rate."""
    return next((step for step in (0.05, 0.1, *(i / 10 for i in range(2, 11))) if step >= rate), 1.0)


def _steps(top: float) -> list[float]:
    step = next(s for s in STEPS if top / s <= 4 + 1e-9 or s == STEPS[-1])
    return [i * step for i in range(int(top / step + 1e-9) + 1)]
