"""How right the built-in inspector is, on photographs with planted flaws and on clean ones, beside CleanVision.

python benchmarks/accuracy.py [--photos DIR] [--half report|tune] [--pcb DIR] [--per-flaw N] [--no-cleanvision]

Without --photos it takes scikit-image's photographs. With it, only the reporting half is read (see photos.py): the
constants were fitted on the other. Each flaw is planted in N photographs in rising strength; a criterion that a planted
flaw may rightly be taken for as well counts neither as hit nor as false alarm (see recipes.IMPLIES), nor does one that
the photograph breaks of its own (own_flaws.txt: slide mounts and letterboxes). What not every photograph can show (see
recipes.SHOWN_BY) is printed twice: planted in any photograph, and in those that show it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

import importable  # noqa: F401  # first: the folders that the next imports need
from photo_inspector.inspector import BuiltinInspector
from photos import own_flaws, photographs
from planted import Planted
from recipes import IMPLIES, PLANTS, SHOWN_BY
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Guideline, Severity
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.suggestion import Brief, Finding
from review_copilot.library import load_guideline
from rivals import cleanvision_flags

Photo: TypeAlias = tuple[str, Pixels]
Task: TypeAlias = tuple[str, Pixels, str, Severity]
"""Name, photograph, what to plant in it, and how bad."""

CLEAN = "clean"
TARGETS = (
    "targets: macro F1 .85, no criterion under .60, false alarms .30 a clean image, boxes met .75, "
    "severity within one step .95, exact .60"
)
LOCAL = frozenset({"defocus_patch", "clipped_highlights", "crushed_shadows", "border", "overlay", "dust", "scratch"})


@dataclass(frozen=True, slots=True)
class Answer:
    """One inspected picture.

    Attributes:
        name: Name of the photograph.
        recipe: What was planted; "clean" for nothing.
        truth: The criterion that covers it; empty for clean ones.
        severity: How bad it was planted.
        boxes: Where, empty for the whole picture.
        thin: Whether the boxes are hair-thin.
        findings: What the inspector said.
    """

    name: str
    recipe: str
    truth: str
    severity: Severity
    boxes: tuple[Box, ...]
    thin: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How well one criterion was told."""

    hits: int
    misses: int
    false_alarms: int

    @property
    def precision(self) -> float:
        """Share of the alarms that are right; 1 when there are none."""
        return self.hits / max(1, self.hits + self.false_alarms) if self.hits + self.false_alarms else 1.0

    @property
    def recall(self) -> float:
        """Share of the planted flaws that were found."""
        return self.hits / max(1, self.hits + self.misses)

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2 * self.hits / max(1, 2 * self.hits + self.misses + self.false_alarms)


def criterion_of(guideline: Guideline, measure: str) -> str:
    """Id of the criterion that a measurement or recipe speaks for; empty for "clean"."""
    name = measure.removesuffix("_patch")
    return next((c.id for c in guideline.criteria if name in c.measures), "")


def as_image(planted: Planted) -> ReviewImage:
    """The picture as the inspector would get it."""
    data, kind = planted.file, "JPEG"
    if not data:
        _, encoded = cv2.imencode(".png", np.ascontiguousarray(planted.pixels[:, :, ::-1]))
        data, kind = encoded.tobytes(), "PNG"
    height, width = planted.pixels.shape[:2]
    return ReviewImage("planted", data, "", kind, width, height, lambda _longest: planted.pixels)


def plant(name: str, pixels: Pixels, recipe: str, severity: Severity) -> Planted:
    """One flaw, the same for the same photograph, recipe and severity."""
    if recipe == CLEAN:
        return Planted(CLEAN, "", severity, pixels)
    seed = zlib.crc32(f"report {name} {recipe} {severity}".encode())
    return PLANTS[recipe](pixels, np.random.default_rng(seed), severity)


def answer(task: Task) -> Answer:
    """Plant and inspect."""
    cv2.setNumThreads(1)
    name, pixels, recipe, severity = task
    guideline = load_guideline("photo-quality")
    planted = plant(name, pixels, recipe, severity)
    said = BuiltinInspector().inspect(Brief(as_image(planted), guideline))
    truth = criterion_of(guideline, recipe)
    return Answer(name, recipe, truth, planted.severity, planted.boxes, planted.thin, said.findings)


def tasks(photos: Sequence[Photo], per_flaw: int) -> list[Task]:
    """All clean photographs, and each flaw in `per_flaw` of them, severities by turns."""
    out = [(name, pixels, CLEAN, Severity.MINOR) for name, pixels in photos]
    for recipe in PLANTS:
        out += _planted_by_turns(recipe, photos, per_flaw)
    return out


def tasks_that_show(photos: Sequence[Photo], per_flaw: int) -> list[Task]:
    """Each flaw of `recipes.SHOWN_BY` in `per_flaw` of the photographs that can show it; none where none can."""
    out: list[Task] = []
    for recipe, shows in SHOWN_BY.items():
        able = [photo for photo in photos if shows(photo[1])]
        out += _planted_by_turns(recipe, able, per_flaw) if able else []
    return out


def _planted_by_turns(recipe: str, photos: Sequence[Photo], per_flaw: int) -> list[Task]:
    order = np.random.default_rng(zlib.crc32(recipe.encode())).permutation(len(photos))
    chosen = [photos[int(order[turn % len(photos)])] for turn in range(per_flaw)]
    return [(name, pixels, recipe, list(Severity)[turn % 3]) for turn, (name, pixels) in enumerate(chosen)]


def rightly_said(said: Answer, guideline: Guideline) -> frozenset[str]:
    """Criteria that are neither hits nor false alarms when they are named.

    The planted flaw may be taken for them, or the photograph breaks them of its own.
    """
    flaws = IMPLIES.get(said.recipe, frozenset()) | own_flaws(said.name)
    return frozenset(criterion_of(guideline, flaw) for flaw in flaws)


def score_of(criterion: str, answers: Sequence[Answer], guideline: Guideline) -> Score:
    """Hits, misses and false alarms of one criterion, picture by picture."""
    hits = misses = false_alarms = 0
    for said in answers:
        flagged = any(f.criterion_id == criterion for f in said.findings)
        if said.truth == criterion:
            hits, misses = hits + flagged, misses + (not flagged)
        elif flagged:
            false_alarms += criterion not in rightly_said(said, guideline)
    return Score(hits, misses, false_alarms)


def print_criteria(answers: Sequence[Answer], guideline: Guideline) -> None:
    """A row per criterion."""
    clean = [a for a in answers if a.recipe == CLEAN]
    print(
        f"{'criterion':38s} {'n':>4s} {'prec':>5s} {'rec':>5s} {'F1':>5s} {'FA/clean':>8s}  recall minor/major/critical"
    )
    for criterion in guideline.criteria:
        score = score_of(criterion.id, answers, guideline)
        own = [a for a in answers if a.truth == criterion.id]
        if not own:
            continue
        alarms = score_of(criterion.id, clean, guideline).false_alarms / max(1, len(clean))
        found = [(a.severity, any(f.criterion_id == criterion.id for f in a.findings)) for a in own]
        steps = "/".join(
            f"{np.mean([hit for s, hit in found if s is severity]):.2f}"
            if any(s is severity for s, _ in found)
            else "-"
            for severity in Severity
        )
        print(
            f"{criterion.id + ' ' + criterion.label:38s} {len(own):4d} {score.precision:5.2f} {score.recall:5.2f} "
            f"{score.f1:5.2f} {alarms:8.3f}  {steps}"
        )
    wrong = sum(len({f.criterion_id for f in a.findings} - rightly_said(a, guideline)) for a in clean)
    total = wrong / max(1, len(clean))
    all_f1 = all_scores(answers, guideline)
    print(f"macro F1 {np.mean(all_f1):.3f}, lowest {min(all_f1):.2f}, false alarms a clean image {total:.3f}")
    flawed = sum(bool(own_flaws(a.name)) for a in clean)
    if flawed:
        print(f"{flawed} of the photographs have a flaw of their own (own_flaws.txt); to name it counts neither way")


def print_shown(answers: Sequence[Answer], shown: Sequence[Answer], guideline: Guideline) -> None:
    """The same once more with some flaws planted only where they can be seen."""
    recipes = {said.recipe for said in shown}
    instead = [said for said in answers if said.recipe not in recipes] + list(shown)
    for recipe in sorted(recipes):
        score = score_of(criterion_of(guideline, recipe), instead, guideline)
        print(
            f"{recipe} where it shows: precision {score.precision:.2f}, recall {score.recall:.2f}, F1 {score.f1:.2f}; "
            f"macro F1 with it {np.mean(all_scores(instead, guideline)):.3f}"
        )


def all_scores(answers: Sequence[Answer], guideline: Guideline) -> list[float]:
    """F1 of each criterion that was planted."""
    planted = {said.truth for said in answers}
    return [score_of(c.id, answers, guideline).f1 for c in guideline.criteria if c.id in planted]


def print_boxes(answers: Sequence[Answer], guideline: Guideline) -> None:
    """How many planted boxes are met, at which IoU, and how many others are drawn: who draws many meets many."""
    print(f"\n{'local flaw':20s} {'boxes':>6s} {'met':>5s} {'mean IoU of the met':>20s} {'others a picture':>17s}")
    met_all = total_all = 0
    for recipe in sorted(LOCAL):
        own = [a for a in answers if a.recipe == recipe]
        criterion = criterion_of(guideline, recipe)
        best, others = [], 0
        for said in own:
            least = 0.3 if said.thin else 0.5
            shown = [f.box for f in said.findings if f.criterion_id == criterion and f.box is not None]
            best += [(max((box.iou(true) for box in shown), default=0.0), least) for true in said.boxes]
            others += sum(all(box.iou(true) < least for true in said.boxes) for box in shown)
        met = [iou for iou, least in best if iou >= least]
        met_all, total_all = met_all + len(met), total_all + len(best)
        print(
            f"{recipe:20s} {len(best):6d} {len(met) / max(1, len(best)):5.2f} {np.mean(met) if met else 0:20.2f} "
            f"{others / max(1, len(own)):17.2f}"
        )
    print(f"all boxes met {met_all / max(1, total_all):.3f} (IoU .5, hair-thin ones .3)")
    right, drawn = box_counts(answers, guideline)
    print(f"precision of boxes {right / max(1, drawn):.3f} of {drawn} (on clean photographs all boxes are wrong)")


def box_counts(answers: Sequence[Answer], guideline: Guideline) -> tuple[int, int]:
    """How many boxes for local flaws are right, and how many there are.

    With a planted local flaw, the boxes of its criterion count; on a clean photograph, all boxes of local flaws
    that the photograph does not have itself. A box is right if its IoU with a planted one is at least .5 (.3 for
    hair-thin ones).
    """
    local = {criterion_of(guideline, recipe) for recipe in LOCAL}
    right = drawn = 0
    for said in answers:
        if said.recipe in LOCAL:
            judged = {said.truth}
        elif said.recipe == CLEAN:
            judged = local - rightly_said(said, guideline)
        else:
            continue
        shown = [f.box for f in said.findings if f.criterion_id in judged and f.box is not None]
        least = 0.3 if said.thin else 0.5
        right += sum(any(box.iou(true) >= least for true in said.boxes) for box in shown)
        drawn += len(shown)
    return right, drawn


def print_severity(answers: Sequence[Answer]) -> None:
    """How often the severity of a hit is right."""
    away = []
    for said in answers:
        ranks = [f.severity.rank for f in said.findings if f.criterion_id == said.truth]
        if said.truth and ranks:
            away.append(abs(max(ranks) - said.severity.rank))
    exact, near = np.mean(np.array(away) == 0), np.mean(np.array(away) <= 1)
    print(f"\nseverity of {len(away)} hits: exact {exact:.2f}, within one {near:.2f}")


def print_calibration(answers: Sequence[Answer], guideline: Guideline) -> None:
    """Whether a score of .8 is right 80 % of the time."""
    pairs = []
    for said in answers:
        implied = rightly_said(said, guideline)
        best: dict[str, float] = {}
        for finding in said.findings:
            best[finding.criterion_id] = max(finding.score, best.get(finding.criterion_id, 0.0))
        pairs += [(score, cid == said.truth) for cid, score in best.items() if cid == said.truth or cid not in implied]
    scores, right = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    print("\ncalibration of score:  range, findings, mean score, share right")
    edges = (0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.001)
    error = 0.0
    for low, high in pairwise(edges):
        inside = (scores >= low) & (scores < high)
        if inside.any():
            told, true = scores[inside].mean(), right[inside].mean()
            print(f"  {low:.2f}-{min(high, 1):.2f} {inside.sum():5d} {told:6.2f} {true:6.2f}")
            error += inside.sum() * abs(scores[inside].mean() - right[inside].mean())
    print(f"  expected calibration error {error / max(1, scores.size):.3f}")


def print_rival(answers: Sequence[Answer], photos: Sequence[Photo], guideline: Guideline) -> None:
    """CleanVision on the same pictures for what it has."""
    shared = {"is_dark_issue": "under_exposure", "is_light_issue": "over_exposure", "is_blurry_issue": "defocus",
              "is_low_information_issue": "empty_frame"}  # fmt: skip
    by_name = dict(photos)
    chosen = [a for a in answers if a.recipe == CLEAN or a.recipe in shared.values() or a.recipe == "motion_blur"]
    flags = cleanvision_flags([plant(a.name, by_name[a.name], a.recipe, a.severity).pixels for a in chosen])
    print(f"\nbeside CleanVision on the same {len(chosen)} pictures: F1 here / there, false alarms a clean image")
    for column, recipe in shared.items():
        criterion = criterion_of(guideline, recipe)
        blur = recipe == "defocus"
        truths = {recipe, "motion_blur"} if blur else {recipe}
        wanted = {criterion, criterion_of(guideline, "motion_blur")} if blur else {criterion}
        row = []
        for side in ("here", "there"):
            counts = {"hit": 0, "miss": 0, "false": 0, "clean": 0}
            for said, flag in zip(chosen, flags, strict=True):
                here = any(f.criterion_id in wanted for f in said.findings)
                on = here if side == "here" else column in flag
                if said.recipe in truths:
                    counts["hit" if on else "miss"] += 1
                elif said.recipe == CLEAN or recipe not in IMPLIES.get(said.recipe, ()):
                    counts["false"] += on
                    counts["clean"] += on and said.recipe == CLEAN
            row.append(
                (2 * counts["hit"] / max(1, 2 * counts["hit"] + counts["miss"] + counts["false"]), counts["clean"])
            )
        clean = max(1, sum(a.recipe == CLEAN for a in chosen))
        name = column.removeprefix("is_").removesuffix("_issue")
        print(f"  {name:20s} {row[0][0]:22.2f} / {row[1][0]:.2f} {row[0][1] / clean:24.3f} / {row[1][1] / clean:.3f}")


def main() -> None:
    """Inspect, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=None, help="folder of photographs; scikit-image's when left out")
    parser.add_argument("--pcb", type=Path, default=None, help="folder of circuit boards, handed to pcb.py")
    parser.add_argument("--per-flaw", type=int, default=30)
    parser.add_argument("--half", choices=("report", "tune"), default="report", help="tune: to choose between ways")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-cleanvision", action="store_true")
    options = parser.parse_args()
    guideline = load_guideline("photo-quality")
    photos = list(photographs(options.photos, options.half))
    with ProcessPoolExecutor(options.workers) as pool:
        answers = list(pool.map(answer, tasks(photos, options.per_flaw), chunksize=8))
        shown = list(pool.map(answer, tasks_that_show(photos, options.per_flaw), chunksize=8))
    print(f"{len(photos)} photographs, {len(answers)} pictures inspected\n")
    print_criteria(answers, guideline)
    print_shown(answers, shown, guideline)
    print_boxes(answers, guideline)
    print_severity(answers)
    print_calibration(answers, guideline)
    if not options.no_cleanvision:
        print_rival(answers, photos, guideline)
    print(f"\n{TARGETS}")
    if options.pcb is not None:
        subprocess.run([sys.executable, str(Path(__file__).with_name("pcb.py")), "--pcb", str(options.pcb)], check=True)


if __name__ == "__main__":
    main()
