"""What one reviewer makes of one task: rows without their ids and times."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from math import exp, log

from rapidfuzz.distance import LCSseq, Levenshtein

from worlds.draw import SEVERITIES, Box4, Suggestion, Task, Undrafted, moved, overlap, verdict_of
from worlds.nouns import BOX, Row
from worlds.plan import Person, Plan
from worlds.words import note, own_text, pattern_words, reworded, stray_words

CONTRADICTED = 0.015
"""Share of submissions whose verdict is not the one that the rule gives."""
SLIPS = 0.004
"""Share of submissions in which the hotkey for a new box relabels the selected one by mistake."""
UNCLAIMED = 0.01
"""Share of added boxes whose label no criterion claims."""


@dataclass(slots=True)
class Work:
    """One submission."""

    rows: list[Row]
    seconds: float
    copied: bool = False
    looks: list[tuple[float, ...]] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)


def _chance(base: float, logits: float) -> float:
    return 1 / (1 + exp(-log(base / (1 - base)) - logits))


def _sides(name: str, box: Box4) -> Row:
    return {f"{name}_{side}": value for side, value in zip(BOX, box, strict=True)}


def _texts(before: str, after: str) -> Row:
    words = before.split()
    same = before == after
    return {
        "text_from": before,
        "text_to": after or None,
        "text_similarity": 1.0 if same else round(LCSseq.similarity(words, after.split()) / max(len(words), 1), 4),
        "text_distance": 0 if same else Levenshtein.distance(before, after),
    }


def work_of(plan: Plan, task: Task, person: Person, dice: random.Random, careless: float) -> Work:
    """What a person submits for a task.

    Args:
        plan: The project.
        task: The image and its draft.
        person: Who looks at it.
        dice: Where chance comes from.
        careless: Chance that the draft is submitted without looking.
    """
    shown, blind = task.exposure == "shown", task.exposure == "withheld"
    copied = shown and dice.random() < careless
    work = Work(rows=[], seconds=0.0, copied=copied)
    kept: list[int] = []
    changes = 0
    for suggestion in task.suggestions:
        row = _drafted(plan, suggestion, person, dice, copied=copied, blind=blind)
        work.rows.append(row)
        changes += row["kind"] not in {"untouched", "confirmed"}
        if row["kind"] != "rejected":
            kept.append(SEVERITIES.index(str(row["severity_to"])))
    if not copied and dice.random() < SLIPS:
        _slip(plan, work.rows, dice)
    uncovered = 0
    for flaw in task.undrafted:
        if dice.random() < (0.03 if copied else person.sees):
            work.rows.append(_added(plan, flaw, person, dice))
            if flaw.criterion < 0:
                uncovered += 1
                work.looks.append(flaw.look)
                work.patterns.append(flaw.pattern)
            kept.append(flaw.severity)
    regions = len(work.rows)
    work.rows += _whole(task, person, dice, verdict_of(kept, uncovered), copied=copied, changed=changes > 0)
    work.rows += _feedback(plan, task, dice, copied=copied, uncovered=uncovered)
    added = regions - len(task.suggestions)
    base = dice.lognormvariate(log(40 + 9 * regions), 0.45) * person.pace * (1.0 if shown else 1.55)
    work.seconds = round(dice.uniform(3, 9) if copied else base + 8 * changes + 18 * added, 2)
    return work


def _drafted(
    plan: Plan, suggestion: Suggestion, person: Person, dice: random.Random, *, copied: bool, blind: bool
) -> Row:
    criterion = plan.criteria[suggestion.criterion]
    row: Row = {
        "subject": "region",
        "suggestion_id": suggestion.id,
        "criterion_from": criterion.id,
        "severity_from": SEVERITIES[suggestion.severity],
        "score": suggestion.score,
        "edits": [],
        "reasons": [],
        **_sides("box_from", suggestion.box),
    }
    if not copied and dice.random() < _reject(suggestion, person, blind=blind):
        return row | _rejected(plan, suggestion, person, dice, blind=blind)
    edits, severity, box = [], suggestion.severity, suggestion.box
    to, text = suggestion.criterion, suggestion.text
    if not copied:
        if suggestion.other and dice.random() < (0.5 if suggestion.open else 0.93):
            to = criterion.neighbor
            edits.append("criterion")
        severity = _severity(suggestion, dice)
        box = _box(suggestion, person, dice, blind=blind)
        if blind:
            text = own_text(dice, plan.criteria[to].label) if dice.random() < 0.8 else ""
        elif suggestion.wording_off and dice.random() < 0.9:
            text = reworded(dice, text, dice.uniform(0.1, 0.5))
        elif dice.random() < (0.9 if to != suggestion.criterion else person.rewords):
            text = reworded(dice, text, dice.uniform(0.6, 0.95))
    edits += ["place"] if box != suggestion.box else []
    edits += ["severity"] if severity != suggestion.severity else []
    edits += ["rationale"] if text != suggestion.text else []
    reason = {"criterion": "wrong_criterion", "place": "wrong_place", "severity": "wrong_severity"}
    reasons = [
        reason.get(edit, "explanation_wrong")
        for edit in edits
        if not blind and dice.random() < person.ticks * (0.5 if edit != "rationale" else 0.25)
    ]
    if suggestion.gray and not copied and not blind and dice.random() < person.ticks * 0.2:
        reasons.append("guideline_unclear")
    kind = "edited" if edits or reasons else "untouched"
    if kind == "untouched" and not copied and dice.random() < person.agrees:
        kind, reasons = "confirmed", ["agree"]
    about = reasons[0] if reasons else reason.get(edits[0], "explanation_wrong") if edits else ""
    write = bool(about) and about != "agree" and not blind and dice.random() < person.writes * 0.5
    neighbor = plan.criteria[criterion.neighbor].label
    return row | {
        "kind": kind,
        "region_id": f"{dice.getrandbits(40):010x}" if blind else suggestion.id,
        "criterion_to": plan.criteria[to].id,
        "severity_to": SEVERITIES[severity],
        "edits": [e for e in ("place", "criterion", "severity", "rationale") if e in edits],
        "iou": overlap(suggestion.box, box),
        **_texts(suggestion.text, text),
        "reasons": reasons,
        "note": note(dice, about, criterion.label, neighbor, SEVERITIES[severity]) if write else None,
        **_sides("box_to", box),
    }


def _reject(suggestion: Suggestion, person: Person, *, blind: bool) -> float:
    if suggestion.gray:
        chance = _chance(0.5, person.taste[suggestion.criterion] + person.shift)
    else:
        chance = _chance(0.94 if suggestion.wrong else 0.025, person.shift)
    if not suggestion.wrong:
        chance += (1 - chance) * person.false_alarm
    if blind:  # nobody draws what the model made up; some of what is there stays unseen
        return max(chance, 0.99) if suggestion.wrong else chance + (1 - chance) * (1 - person.sees)
    return chance


def _rejected(plan: Plan, suggestion: Suggestion, person: Person, dice: random.Random, *, blind: bool) -> Row:
    criterion = plan.criteria[suggestion.criterion]
    marked = not blind and dice.random() < person.marks
    reasons = ["not_a_defect"] if marked or (not blind and dice.random() < person.ticks * 0.3) else []
    if suggestion.gray and not blind and dice.random() < person.ticks * 0.4:
        reasons.append("guideline_unclear")
    about = reasons[-1] if reasons else "guideline_unclear" if suggestion.gray else "not_a_defect"
    row: Row = {
        "kind": "rejected",
        "text_from": suggestion.text,
        "reasons": reasons if marked else [],
        "text_similarity": None,
    }
    if not marked:  # a deleted region takes its ticks and its note with it
        return row
    write = dice.random() < person.writes
    return row | {
        "region_id": suggestion.id,
        "criterion_to": criterion.id,
        "severity_to": SEVERITIES[suggestion.severity],
        "iou": 1.0,
        **_texts(suggestion.text, suggestion.text),
        "note": note(dice, about, criterion.label, plan.criteria[criterion.neighbor].label, "") if write else None,
        **_sides("box_to", suggestion.box),
    }


def _severity(suggestion: Suggestion, dice: random.Random) -> int:
    if suggestion.severity_gray:
        step = 1 if suggestion.severity == 0 else -1 if suggestion.severity == 2 else dice.choice((-1, 1))
        return suggestion.severity + (step if dice.random() < 0.5 else 0)
    return suggestion.right_severity if dice.random() < 0.9 else suggestion.severity


def _box(suggestion: Suggestion, person: Person, dice: random.Random, *, blind: bool) -> Box4:
    if suggestion.place_gray and (blind or dice.random() < 0.85):
        return moved(dice, suggestion.box, dice.uniform(0.25, 0.65))
    if blind:
        return moved(dice, suggestion.right_box, dice.uniform(0.6, 0.92))
    if suggestion.place_off and dice.random() < 0.9:
        return suggestion.right_box
    if dice.random() < person.moves:
        return moved(dice, suggestion.box, dice.uniform(0.8, 0.97))
    return suggestion.box


def _added(plan: Plan, flaw: Undrafted, person: Person, dice: random.Random) -> Row:
    text, words, criterion_to = "", "", "uncovered"
    if flaw.criterion >= 0:
        criterion = plan.criteria[flaw.criterion]
        criterion_to = criterion.id if dice.random() > UNCLAIMED else ""
        text = own_text(dice, criterion.label) if dice.random() < 0.75 else ""
    elif dice.random() < 0.7:
        text = pattern_words(dice, flaw.pattern) if flaw.pattern else stray_words(dice)
    if flaw.criterion < 0 and dice.random() < person.text_in_note:
        text, words = "", text
    return {
        "subject": "region",
        "kind": "added",
        "region_id": f"{dice.getrandbits(40):010x}",
        "criterion_to": criterion_to or None,
        "severity_to": SEVERITIES[flaw.severity],
        "text_to": text or None,
        "reasons": ["not_covered"] if flaw.criterion < 0 and dice.random() < person.ticks * 0.5 else [],
        "note": words or None,
        **_sides("box_to", moved(dice, flaw.box, dice.uniform(0.6, 0.95))),
    }


def _slip(plan: Plan, rows: list[Row], dice: random.Random) -> None:
    """A kept suggestion gets another label, and a new box of that label follows."""
    kept = [row for row in rows if row["kind"] == "untouched"]
    if not kept:
        return
    row = dice.choice(kept)
    others = [c.id for c in plan.criteria if c.id != row["criterion_from"]]
    wanted = dice.choice(others)
    row.update(kind="edited", criterion_to=wanted, edits=["criterion"])
    box = tuple(float(str(row[f"box_from_{side}"])) for side in BOX)
    away = ((box[0] + 0.4) % max(0.01, 1 - box[2]), (box[1] + 0.4) % max(0.01, 1 - box[3]), box[2], box[3])
    rows.append(
        {
            "subject": "region",
            "kind": "added",
            "region_id": f"{dice.getrandbits(40):010x}",
            "criterion_to": wanted,
            "severity_to": "minor",
            **_sides("box_to", away),
        }
    )


def _whole(task: Task, person: Person, dice: random.Random, verdict: str, *, copied: bool, changed: bool) -> list[Row]:
    """The verdict and the summary."""
    if copied:
        verdict = task.verdict
    elif dice.random() < CONTRADICTED:
        verdict = dice.choice([v for v in ("pass", "fail", "discuss") if v != verdict])
    if not task.verdict:
        return [{"subject": "verdict", "kind": "added", "severity_to": verdict}]
    rows: list[Row] = [
        {
            "subject": "verdict",
            "kind": "untouched" if verdict == task.verdict else "edited",
            "severity_from": task.verdict,
            "severity_to": verdict,
        }
    ]
    text = task.summary
    if task.exposure == "withheld":
        text = f"{verdict.capitalize()}. Seen without a draft." if dice.random() < 0.6 else ""
    elif not copied and dice.random() < (0.5 if changed else person.rewords * 0.3):
        text = reworded(dice, text, dice.uniform(0.4, 0.9))
    kind = "untouched" if text == task.summary else "edited" if text else "rejected"
    return [*rows, {"subject": "summary", "kind": kind, **_texts(task.summary, text)}]


def _feedback(plan: Plan, task: Task, dice: random.Random, *, copied: bool, uncovered: int) -> list[Row]:
    """What is said of the guideline: rarely, and more often where it does not decide or has no name."""
    if copied:
        return []
    gray = [s for s in task.suggestions if s.gray]
    said = ""
    if uncovered and dice.random() < 0.06:
        said, words = "not_covered", "there should be a criterion for this"
    elif gray and dice.random() < 0.04:
        said, words = "unclear", note(dice, "guideline_unclear", plan.criteria[gray[0].criterion].label, "", "")
    elif dice.random() < 0.003:
        said, words = (
            dice.choice(("unclear", "conflict")),
            dice.choice(("please explain the verdict rule", "", "too long")),
        )
    return [{"subject": "feedback", "kind": "added", "reasons": [said], "note": words or None}] if said else []
