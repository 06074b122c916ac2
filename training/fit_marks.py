"""Fit the second look at marks (see second_look.py) and the scores from which they are reported. Knows no pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fit_places import FLAW_OF, Crowd, Floats, fit_place, surface_of
from photo_inspector.scoring.calibration import Surface
from photo_inspector.scoring.second_look import COMPANY, GLANCE, company
from trees import Judge, Table, fit_trees, held_out, joined, platt, save

MARKS = ("soft_patch", "dust", "scratch", "fiber")
"""What is looked at twice."""
BOXED = ("scratch", "fiber")
"""What comes in many boxes of which one fits."""
WHOLE_NUMBERS = ("grain", "blur", "local", "edges")
"""What of the whole picture the second look asks for."""
FOLDS = 4
"""Parts of the photographs of which each is looked at by constants from the others."""
LEAST = 0.2
"""Least score that is worth a look of a reviewer."""
ALIKE = 0.02
"""F1 that makes no difference."""


def glance(crowd: Crowd, surface: Surface) -> Floats:
    """Logarithm of the odds of every candidate by its own numbers."""
    columns = [crowd.names.index(name) for name in surface.names]
    parts = [surface.sums_of(part[:, columns].astype(np.float64)) for part in np.array_split(crowd.numbers, 64)]
    return np.concatenate(parts).astype(np.float32)


def second_table(kind: str, crowd: Crowd, whole: Floats) -> tuple[Table, npt.NDArray[np.int64]]:
    """What the second look sees, with odds at a glance by constants that never saw the photograph; and whose row it is.

    Args:
        kind: Name of the local measurement.
        crowd: Its candidates.
        whole: The image-wide numbers of `WHOLE_NUMBERS`, shape (pictures, numbers).
    """
    fold = crowd.group[crowd.picture] % FOLDS
    first = np.zeros(len(crowd.right), np.float32)
    for index in range(FOLDS):
        unseen = fold == index
        surface = surface_of(fit_place(kind, crowd, chosen=~unseen))
        first[unseen] = glance(crowd, surface)[unseen]
    borders = np.flatnonzero(np.diff(crowd.picture)) + 1
    beside = np.concatenate([company(part) for part in np.split(first, borders)])
    rows = np.flatnonzero(first >= GLANCE)
    at = crowd.picture[rows]
    weight = crowd.weight[at] * (crowd.right[rows] >= 0)
    values = np.hstack([crowd.numbers[rows], beside[rows], whole[at]])
    names = (*crowd.names, *COMPANY, *(f"whole_{name}" for name in WHOLE_NUMBERS))
    truth = (crowd.right[rows] > 0).astype(np.float32)
    return Table(names, values, truth, weight.astype(np.float32), crowd.group[at]), rows


def fit_boxes(seen: Mapping[str, tuple[Table, npt.NDArray[np.int64]]], crowds: Mapping[str, Crowd], out: Path) -> None:
    """Fit which of the boxes on a mark holds all of it and no more, and write it.

    Args:
        seen: As from `second_table`, by kind.
        crowds: The candidates by kind; of those that lie on a part of a mark nothing else is asked.
        out: Where to write.
    """
    judges = {}
    for kind in BOXED:
        table, rows = seen[kind]
        crowd = crowds[kind]
        weight = np.where(crowd.right[rows] != 0, crowd.weight[crowd.picture[rows]], 0).astype(np.float32)
        judges[kind] = Judge(table.numbers, fit_trees(replace(table, weight=weight)), 1.0, 0.0)
    save(joined(judges, least=np.zeros(len(BOXED), np.float32)), out)


def fit_marks(crowds: Mapping[str, Crowd], whole: Floats, out: Path, fits_out: Path) -> None:
    """Fit the second look at every kind of marks and which boxes fit; write both.

    Prints how the second look does on photographs that it never saw.
    """
    judges: dict[str, Judge] = {}
    tops: dict[str, Floats] = {}
    seen = {kind: second_table(kind, crowd, whole) for kind, crowd in crowds.items()}
    fit_boxes(seen, crowds, fits_out)
    for kind, crowd in crowds.items():
        table, rows = seen[kind]
        odds = held_out(table)
        slope, bias = platt(odds, table.truth, table.weight)
        judges[kind] = Judge(table.numbers, fit_trees(table), slope, bias)
        told = np.asarray(1 / (1 + np.exp(-np.clip(slope * odds + bias, -30, 30))), np.float32)
        flaw = FLAW_OF.get(kind, kind)
        top = tops.setdefault(flaw, np.zeros(len(crowd.own), np.float32))
        np.maximum.at(top, crowd.picture[rows], told)
    least = []
    print(f"{'held out':16s} {'F1':>5s} {'least':>6s} {'recall':>7s} {'alarms':>7s}   a picture")
    for kind, crowd in crowds.items():
        top = tops[FLAW_OF.get(kind, kind)]
        bar, f1 = least_score(top, crowd)
        least.append(bar)
        recall, alarms = (float((top[group] >= bar).mean()) for group in (crowd.own, crowd.clean))
        print(f"{kind:16s} {f1:5.2f} {bar:6.2f} {recall:7.2f} {alarms:7.3f}")
    save(joined(judges, least=np.array(least, np.float32)), out)


def least_score(top: Floats, crowd: Crowd) -> tuple[float, float]:
    """The score from which marks are reported, and its F1, by the likeliest mark of each picture.

    Of the scores that do as well as the best within ALIKE the least is taken: a draft is easier to take back than a
    flaw is to find.
    """
    grid = np.arange(LEAST, 0.91, 0.01)
    rows = []
    for least in grid:
        said = crowd.weight * (top >= least)
        hits = float(said[crowd.own].sum())
        rows.append(2 * hits / max(1e-9, float(said.sum()) + float(crowd.weight[crowd.own].sum())))
    f1 = np.array(rows)
    place = int(np.flatnonzero(f1 >= f1.max() - ALIKE)[0])
    return float(grid[place]), float(f1[place])
