"""Plants faults in a plan. Each plant documents how strong it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from worlds.plan import Pattern, Plan, Planted, Rng, next_version
from worlds.words import PATTERNS


class NoRoom(Exception):
    """The plan has no place left for the fault."""


def plant(plan: Plan, cause: str, rng: Rng, room: float) -> None:
    """Plant one fault.

    Args:
        plan: Changed in place.
        cause: One of `nouns.CAUSES`.
        rng: Where strengths come from.
        room: Factor on how many units the fault must have; rises when an earlier draw was not borne out by its log.

    Raises:
        NoRoom: No criterion, person or stretch of time is left for it.
    """
    plan.planted.append(_PLANTS[cause](plan, rng, room))


def _taken(plan: Plan) -> set[int]:
    return {index for planted in plan.planted if not planted.may_fail for index in planted.criteria}


def _roomy(plan: Plan, rng: Rng, units: float, *, per_share: float) -> int:
    """A free criterion that is to have at least `units` units; the share of one is raised when none has."""
    free = [i for i in range(len(plan.criteria)) if i not in _taken(plan)]
    if len(free) < 2:
        raise NoRoom
    wide = [i for i in free if plan.criteria[i].share * per_share >= units]
    if wide:
        return int(rng.choice(wide))
    chosen = max(free, key=lambda i: plan.criteria[i].share)
    needed = units / per_share
    if needed > 0.34:
        raise NoRoom
    rest = 1 - plan.criteria[chosen].share
    for index, criterion in enumerate(plan.criteria):
        criterion.share *= (1 - needed) / rest if index != chosen else needed / criterion.share
    return chosen


def _suggestions(plan: Plan) -> float:
    """Drafted suggestions that are judged, second reviews counted."""
    return plan.tasks * plan.per_task * (1 - plan.blind - plan.undrafted) * (1 + plan.shared)


def _pairs(plan: Plan) -> float:
    """Suggestions that two people judge."""
    return plan.tasks * plan.per_task * (1 - plan.blind - plan.undrafted) * plan.shared


def _label(plan: Plan, index: int) -> str:
    return f"{plan.criteria[index].id} ({plan.criteria[index].label})"


def _model_wrong(plan: Plan, rng: Rng, room: float) -> Planted:
    """Wrong in .5 to .75 of suggestions; reviewers agree that they are."""
    index = _roomy(plan, rng, 45 * room, per_share=_suggestions(plan))
    plan.criteria[index].wrong = rng.uniform(0.5, 0.75)
    return Planted("model_wrong", [index], words=f"The model is wrong about {_label(plan, index)}.")


def everything_bad(plan: Plan, rng: Rng) -> None:
    """Every criterion is wrong in .6 to .75 of its suggestions: one `model_wrong` for each."""
    for index, criterion in enumerate(plan.criteria):
        criterion.wrong = rng.uniform(0.60, 0.75)
        words = f"The model is wrong about {_label(plan, index)}, as about everything."
        plan.planted.append(Planted("model_wrong", [index], words=words, may_fail=True))


def _ambiguous(plan: Plan, rng: Rng, room: float) -> Planted:
    """.75 to .95 of the suggestions are not decided by the guideline; each reviewer decides alone."""
    plan.shared = min(0.9, max(plan.shared, plan.shared * room))
    while _pairs(plan) * 0.33 < 70 * room and plan.shared < 0.85:
        plan.shared = min(0.85, plan.shared + 0.1)
    index = _roomy(plan, rng, min(70 * room, _pairs(plan) * 0.33), per_share=_pairs(plan))
    plan.criteria[index].gray = rng.uniform(0.75, 0.95)
    return Planted("ambiguous", [index], words=f"Reviewers disagree on whether {_label(plan, index)} applies.")


def _severity_vague(plan: Plan, rng: Rng, room: float) -> Planted:
    """For .75 to .95 of the suggestions two severities are as good as each other; each reviewer picks one."""
    while _pairs(plan) * 0.33 < 70 * room and plan.shared < 0.85:
        plan.shared = min(0.85, plan.shared + 0.1)
    index = _roomy(plan, rng, min(70 * room, _pairs(plan) * 0.33), per_share=_pairs(plan))
    plan.criteria[index].severity_gray = rng.uniform(0.75, 0.95)
    return Planted("severity_vague", [index], words=f"Reviewers disagree on how bad {_label(plan, index)} is.")


def _confused(plan: Plan, rng: Rng, room: float) -> Planted:
    """Of one criterion's suggestions that are not wrong, .3 to .5 belong to another.

    In half the worlds the same holds the other way round. In half of them reviewers agree on which it is, else each
    decides alone on .4 to .8 of them.
    """
    one = _roomy(plan, rng, 45 * room, per_share=_suggestions(plan))
    free = [i for i in range(len(plan.criteria)) if i not in _taken(plan) and i != one]
    if not free:
        raise NoRoom
    other = int(rng.choice(free))
    open_share = rng.uniform(0.4, 0.8) if rng.random() < 0.5 else 0.05
    for index, partner in ((one, other), (other, one)):
        criterion = plan.criteria[index]
        criterion.neighbor = partner
        if index == one or rng.random() < 0.5:
            criterion.confusion, criterion.confusion_open = rng.uniform(0.3, 0.5), open_share
    return Planted("confused", [one, other], words=f"{_label(plan, one)} is taken for {_label(plan, other)}.")


def _free_person(plan: Plan, rng: Rng, units: float) -> int:
    """Somebody nothing was planted in, who judges enough and not most of the work."""
    taken = {planted.person for planted in plan.planted}
    total = sum(person.weight for person in plan.people)
    fair = [
        i
        for i, person in enumerate(plan.people)
        if i not in taken and person.weight / total * _suggestions(plan) >= units and person.weight / total < 0.5
    ]
    if len(plan.people) < 3 or not fair or sum(p >= 0 for p in taken) >= max(1, len(plan.people) // 3):
        raise NoRoom
    return int(rng.choice(fair))


def _reviewer(plan: Plan, rng: Rng, room: float) -> Planted:
    """One person either submits .75 to .95 of the drafts without looking, or rejects .25 to .45 of what is right.

    The first needs a log in which others reject something: natural rates below .1 get the second.
    """
    index = _free_person(plan, rng, 150 * room)
    person = plan.people[index]
    natural = sum(c.share * c.wrong for c in plan.criteria)
    if natural >= 0.12 and rng.random() < 0.5:
        person.copies, person.pace = rng.uniform(0.75, 0.95), min(person.pace, 0.8)
        return Planted("reviewer", person=index, direction="accepts", words=f"{person.name} copies drafts.")
    person.false_alarm = rng.uniform(0.25, 0.45)
    return Planted("reviewer", person=index, direction="rejects", words=f"{person.name} rejects what others keep.")


def _copier(plan: Plan, rng: Rng, room: float) -> Planted:
    """One person submits .75 to .95 of the drafts without looking."""
    index = _free_person(plan, rng, 120 * room)
    person = plan.people[index]
    person.copies, person.pace = rng.uniform(0.75, 0.95), min(person.pace, 0.8)
    return Planted("reviewer", person=index, direction="accepts", words=f"{person.name} copies drafts.")


def _bulk_hours(plan: Plan, rng: Rng, room: float) -> Planted:
    """One person has a late session each day, a third of their work, in which .9 of the drafts are not looked at."""
    index = _free_person(plan, rng, 250 * room)
    person = plan.people[index]
    person.starts = [person.starts[0], person.starts[0] + 4.6, person.starts[0] + 10.5]
    person.bulk = 2
    return Planted("bulk_hours", person=index, words=f"{person.name} accepts everything late in the day.")


def _fatigue(plan: Plan, rng: Rng, room: float) -> Planted:
    """One person works in one long session; the chance not to look rises to .85 to 1 at its end."""
    index = _free_person(plan, rng, 300 * room)
    person = plan.people[index]
    person.starts, person.tires = person.starts[:1], rng.uniform(0.85, 1.0)
    return Planted("fatigue", person=index, words=f"{person.name} accepts more the longer a session lasts.")


def _day(plan: Plan, rng: Rng) -> float:
    """A day in the middle of the log, away from new versions and from a season."""
    for _ in range(200):
        day = plan.days * rng.uniform(0.35, 0.62)
        away = all(abs(day - v.day) > 0.12 * plan.days for v in plan.versions[1:])
        start, end, extra = plan.season
        if away and (not extra or day < start - 0.12 * plan.days or day > end + 0.06 * plan.days):
            return float(day)
    raise NoRoom


def _drift(plan: Plan, rng: Rng, room: float) -> Planted:
    """Wrong in .5 to .75 from a day on, .35 to .62 into the log, that no new version explains."""
    index = _roomy(plan, rng, 120 * room, per_share=_suggestions(plan))
    criterion = plan.criteria[index]
    criterion.later_from, criterion.later = _day(plan, rng), {"wrong": rng.uniform(0.5, 0.75)}
    words = f"{_label(plan, index)} is worse and stays so."
    return Planted("drift", [index], day=criterion.later_from, words=words)


def _model_change(plan: Plan, rng: Rng, room: float) -> Planted:
    """A new model, .35 to .62 into the log, with which .4 to .8 of the criteria are wrong in .38 to .6."""
    free = [i for i in range(len(plan.criteria)) if i not in _taken(plan)]
    count = min(len(free), max(2, round(len(plan.criteria) * rng.uniform(0.4, 0.8) * min(room, 1.2))))
    if count < 2:
        raise NoRoom
    day = _day(plan, rng)
    chosen = sorted(int(i) for i in rng.choice(free, count, replace=False))
    for index in chosen:
        criterion = plan.criteria[index]
        criterion.later_from, criterion.later = day, {"wrong": rng.uniform(0.38, 0.6)}
    _new_version(plan, rng, day, guideline=False)
    names = ", ".join(plan.criteria[i].id for i in chosen)
    return Planted("model_change", chosen, day=day, words=f"The new model is worse about {names}.")


def _guideline_change(plan: Plan, rng: Rng, room: float) -> Planted:
    """A new revision, .35 to .62 into the log, with which 1 to 3 criteria are wrong in .45 to .7 of suggestions."""
    day = _day(plan, rng)
    chosen: list[int] = []
    for _ in range(int(rng.integers(1, 4))):
        try:
            index = _roomy(plan, rng, 100 * room, per_share=_suggestions(plan))
        except NoRoom:
            break
        if index in chosen:
            continue
        chosen.append(index)
        criterion = plan.criteria[index]
        criterion.later_from, criterion.later = day, {"wrong": rng.uniform(0.45, 0.7)}
    if not chosen:
        raise NoRoom
    _new_version(plan, rng, day, guideline=True)
    names = ", ".join(plan.criteria[i].id for i in chosen)
    return Planted("guideline_change", chosen, day=day, words=f"The new revision made {names} worse.")


def _new_version(plan: Plan, rng: Rng, day: float, *, guideline: bool) -> None:
    before = [v for v in plan.versions if v.day <= day]
    plan.versions = sorted(
        [*plan.versions, next_version(rng, before[-1], day, guideline=guideline)], key=lambda v: v.day
    )


def _uncovered(plan: Plan, rng: Rng, room: float) -> Planted:
    """A flaw that no criterion claims, in .02 to .05 of tasks (18 tasks or more).

    It is there from the first day; in a quarter of the larger worlds from .3 into the log.
    """
    used = {pattern.key for pattern in plan.patterns}
    free = [key for key in PATTERNS if key not in used]
    if not free or len(used) >= 4:
        raise NoRoom
    key = str(rng.choice(free))
    day = plan.days * 0.3 if rng.random() < 0.25 and plan.tasks > 500 else 0.0
    rate = max(rng.uniform(0.02, 0.05), 18 * room / plan.tasks / (0.7 if day else 1.0))
    plan.patterns.append(Pattern(key, float(rate), day))
    return Planted("uncovered", pattern=key, day=day, words=f"No criterion claims: {key}.")


def _missed(plan: Plan, rng: Rng, room: float) -> Planted:
    """In .12 to .3 of the tasks, and never drafted there."""
    index = _roomy(plan, rng, 0, per_share=1)
    plan.criteria[index].missed = min(0.35, rng.uniform(0.12, 0.3) * room)
    return Planted("missed", [index], words=f"The copilot does not draft {_label(plan, index)}.")


def _place_vague(plan: Plan, rng: Rng, room: float) -> Planted:
    """For .7 to .95 of the suggestions nobody can say where the box ends; each reviewer draws another one."""
    index = _roomy(plan, rng, 45 * room, per_share=_suggestions(plan))
    plan.criteria[index].place_gray = rng.uniform(0.7, 0.95)
    return Planted("place_vague", [index], words=f"Nobody can say where {_label(plan, index)} ends.")


def _wording_disliked(plan: Plan, rng: Rng, room: float) -> Planted:
    """.65 to .9 of the texts that are kept are written anew."""
    index = _roomy(plan, rng, 45 * room, per_share=_suggestions(plan))
    plan.criteria[index].wording_off = rng.uniform(0.65, 0.9)
    return Planted("wording_disliked", [index], words=f"The texts for {_label(plan, index)} are disliked.")


def _rare_pooled(plan: Plan, rng: Rng, room: float) -> Planted:
    """4 to 8 criteria get 2 to 6 suggestions each, and .75 to .92 of those are wrong."""
    count = int(rng.integers(4, 9))
    free = sorted((i for i in range(len(plan.criteria)) if i not in _taken(plan)), key=lambda i: plan.criteria[i].share)
    if len(free) < count + 4:
        raise NoRoom
    chosen = free[:count]
    for index in chosen:
        criterion = plan.criteria[index]
        criterion.share = rng.uniform(2, 6) * min(room, 1.3) / _suggestions(plan)
        criterion.wrong = rng.uniform(0.75, 0.92)
        criterion.missed = rng.uniform(0, 0.002)
    names = ", ".join(plan.criteria[i].id for i in chosen)
    return Planted("rare_pooled", chosen, words=f"Rare criteria are mostly rejected: {names}.")


_PLANTS: Mapping[str, Callable[[Plan, Rng, float], Planted]] = {
    "model_wrong": _model_wrong,
    "ambiguous": _ambiguous,
    "severity_vague": _severity_vague,
    "confused": _confused,
    "reviewer": _reviewer,
    "copier": _copier,
    "drift": _drift,
    "uncovered": _uncovered,
    "missed": _missed,
    "model_change": _model_change,
    "guideline_change": _guideline_change,
    "place_vague": _place_vague,
    "wording_disliked": _wording_disliked,
    "rare_pooled": _rare_pooled,
    "bulk_hours": _bulk_hours,
    "fatigue": _fatigue,
}
