"""Fit and judge the trees of the image-wide flaws. Knows no pixels."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from recipes import IMPLIES
from samples import CLEAN, Sample
from trees import Floats, Judge, Table, fit_trees, held_out, joined, platt, save

CLEAN_SHARE, LEAST, MOST_ALARMS, ALIKE = 6.0, 0.25, 0.15, 0.02
"""How often a clean picture is met for one of a single flaw, as in accuracy.py; least score that is ever reported; most
false alarms of all image-wide flaws together a clean picture; difference in F1 that means nothing."""

_TONE = ("stops", "median", "dark", "light", "white", "black", "tone_low", "tone_lower", "tone_upper", "tone_high",
         "roll_off", "low", "high", "unused", "spread", "veil", "local")  # fmt: skip
_LIGHT = ("light_over", "light_stops", "burnt", "cut")
_COLOR = ("cast", "cast_sure", "cast_along", "cast_green",
           "cast_warm", "cast_shift", "cast_ratio", "cast_least",
           "cast_light", "cast_dark", "colourful")  # fmt: skip
_DETAIL = ("blur", "blur_half", "smear_middle", "smear_coarse", "smear_far", "drop_1", "drop_2", "drop_3", "drop_4",
           "ripple", "repeats", "local", "reach", "blur_screen", "blur_small", "smear_most", "smear_sum")  # fmt: skip
_GRAIN = ("grain", "grain_quarter", "grain_half", "lonely", "streak")
_BLOCKS = ("block_ratio", "block_jump", "jpeg_quality", "jpeg_comb", "still")
_STEPS = ("gap", "wide_gap", "luma_gap", "still", "levels", "repeats")
_LEAN = ("lean", "lean_seen", "lean_told", "lean_far", "lean_peak", "lean_better", "lean_both", "lean_most", "level",
         "lean_longest", "edges")  # fmt: skip
_SMEAR = ("smear_middle", "smear_coarse", "smear_far", "smear_1", "smear_2", "smear_4", "smear_8", "smear_1_near",
          "smear_2_near", "smear_4_near", "smear_8_near", "smear_most", "smear_twice", "smear_sum")  # fmt: skip
NUMBERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "defocus": (*_DETAIL, *_GRAIN),
        "motion_blur": (*_DETAIL, *_SMEAR, *_GRAIN, *_BLOCKS),
        "over_exposure": (*_TONE, *_LIGHT, "cast_light", "colourful"),
        "under_exposure": (*_TONE, *_LIGHT, "colourful"),
        "noise": (*_GRAIN, *_DETAIL, *_BLOCKS, "stops"),
        "compression": (*_BLOCKS, *_GRAIN, *_DETAIL, "gap"),
        "banding": (*_STEPS, *_BLOCKS, *_GRAIN, "stops", "unused", "local"),
        "colour_cast": (*_COLOR, *_TONE),
        "low_contrast": (*_TONE, "colourful"),
        "empty_frame": ("unused", "spread", "local", "stops"),
        "tilt": _LEAN,
        "upscaling": (*_DETAIL, *_GRAIN, *_BLOCKS),
    }
)
"""What each flaw is told by. No flaw is told by traces of how a benchmark makes it: a turned picture by what turning
does to fine detail, a tinted one by gaps in its histogram."""


RISING: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "colour_cast": frozenset({"cast", "cast_sure", "cast_least", "cast_ratio"}),
        "defocus": frozenset({"blur_screen", "blur_small"}),
        "motion_blur": frozenset(_SMEAR),
        "over_exposure": frozenset({"light_over", "light_stops"}),
        "tilt": frozenset({"lean_seen", "lean_told", "lean_far"}),
    }
)
"""Numbers of which more never speaks against the flaw, so that what is stronger than all that was planted is found."""


def table_of(flaw: str, samples: Sequence[Sample]) -> Table:
    """The pictures as one flaw sees them; those that may rightly be called by it as well do not count."""
    names = tuple(dict.fromkeys(NUMBERS[flaw]))
    weight = []
    for sample in samples:
        implied = flaw in IMPLIES.get(sample.flaw, ()) or sample.flaw == f"{flaw}_patch"
        # blurred or enlarged: not to be held against each other, but to be told apart where they can be
        alike = {sample.flaw, flaw} == {"defocus", "upscaling"}
        weight.append(0.3 if alike else 0.0 if implied else CLEAN_SHARE if sample.flaw == CLEAN else 1.0)
    return Table(
        numbers=names,
        values=np.array([[s.whole[n] for n in names] for s in samples], np.float32),
        truth=np.array([float(s.flaw == flaw) for s in samples], np.float32),
        weight=np.array(weight, np.float32),
        group=np.array([zlib.crc32(s.name.encode()) for s in samples], np.int64),
        rising=RISING.get(flaw, frozenset()),
    )


def least_scores(told: Mapping[str, Floats], tables: Mapping[str, Table], clean: npt.NDArray[np.bool_]) -> Floats:
    """The score from which each flaw is reported: best F1, less what all together cost in false alarms.

    The price of a false alarm is raised until a clean picture has no more than MOST_ALARMS of them. Of scores that do
    as well within ALIKE, the lowest is taken: what is drafted is easier to take back than to find.
    """
    grid = np.arange(LEAST, 0.91, 0.02)
    gains, alarms = [], []
    for flaw, table in tables.items():
        rows = [f1_of(told[flaw] >= least, table) for least in grid]
        gains.append(rows)
        alarms.append([float((told[flaw][clean] >= least).mean()) for least in grid])
    gain, alarm = np.array(gains), np.array(alarms)
    for price in np.arange(0, 20, 0.1):
        worth = gain - price * alarm
        as_well = worth >= worth.max(axis=1, keepdims=True) - ALIKE
        best = as_well.argmax(axis=1)
        if alarm[np.arange(len(best)), best].sum() <= MOST_ALARMS:
            break
    return np.asarray(grid[best], np.float32)


def f1_of(said: npt.NDArray[np.bool_], table: Table) -> float:
    """F1 in the mix of accuracy.py."""
    weight = table.weight * (table.weight >= 1)
    hits = float((weight * said * table.truth).sum())
    return 2 * hits / max(1e-9, float((weight * said).sum()) + float((weight * table.truth).sum()))


def fit_and_report(samples: Sequence[Sample], out: Path, *, ways: bool) -> None:
    """Fit all trees, write them, print how they do on photographs and `ways` of making a flaw that they never saw."""
    tables = {flaw: table_of(flaw, samples) for flaw in NUMBERS}
    clean = np.array([s.flaw == CLEAN for s in samples])
    judges: dict[str, Judge] = {}
    told: dict[str, Floats] = {}
    for flaw, table in tables.items():
        odds = held_out(table)
        slope, bias = platt(odds, table.truth, table.weight * (table.weight >= 1))
        judges[flaw] = Judge(table.numbers, fit_trees(table), slope, bias)
        told[flaw] = np.asarray(1 / (1 + np.exp(-np.clip(slope * odds + bias, -30, 30))), np.float32)
    least = least_scores(told, tables, clean)
    save(joined(judges, least=least), out)
    print(f"{'held out':16s} {'F1':>5s} {'least':>6s} {'alarms':>7s} {'error':>6s}   recall by way that was never seen")
    for (flaw, table), bar in zip(tables.items(), least, strict=True):
        said = told[flaw] >= bar
        error = calibration_error(told[flaw][said], table.truth[said], table.weight[said])
        print(
            f"{flaw:16s} {f1_of(said, table):5.2f} {bar:6.2f} {said[clean].mean():7.3f} {error:6.3f}   "
            + (_said_of_ways(unseen_ways(judges[flaw], flaw, samples, float(bar))) if ways else "not asked for")
        )


def _said_of_ways(recall: Mapping[str, float]) -> str:
    return ", ".join(f"{way} {share:.2f}" for way, share in recall.items())


def unseen_ways(judge: Judge, flaw: str, samples: Sequence[Sample], least: float) -> dict[str, float]:
    """Recall of each way of making a flaw by trees that saw neither it nor a fifth of the photographs."""
    table = table_of(flaw, samples)
    own = np.array([s.flaw == flaw for s in samples])
    ways = np.array([s.way for s in samples])
    test = table.group % 5 == 0
    recall = {}
    for way in sorted(set(ways[own])):
        shown = ~test & ~(own & (ways == way))
        asked = test & own & (ways == way)
        if asked.any() and (own & shown).any():
            odds = judge.slope * fit_trees(table.part(shown)).decision_function(table.values[asked]) + judge.bias
            recall[str(way)] = float((1 / (1 + np.exp(-odds)) >= least).mean())
    return recall


def calibration_error(told: Floats, truth: Floats, weight: Floats) -> float:
    """Expected difference between what is told and what is right, over tenths."""
    error = 0.0
    for low in np.arange(0, 1, 0.1):
        inside = (told >= low) & (told < low + 0.1 + 1e-6)
        if weight[inside].sum() > 0:
            share = float(np.average(truth[inside], weights=weight[inside]))
            error += float(weight[inside].sum()) * abs(float(np.average(told[inside], weights=weight[inside])) - share)
    return error / max(1e-9, float(weight.sum()))
