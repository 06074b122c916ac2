"""What to do about each flag: headline, advice and the evidence in plain words. Knows no markup."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from review_copilot.domain.guideline import Guideline
from review_copilot.reports.lowest_score import FEWEST_SCORES, lowest_score
from review_copilot.reports.study_words import between, day, name_of, number, percent, person
from review_copilot.study.flags import FEWEST_SHARED, Cause, Evidence, Flag
from review_copilot.study.project_study import Study
from review_copilot.study.reviewer_differences import ACCEPTS, ACCEPTS_MORE


@dataclass(frozen=True)
class Advice:
    """A flag in the words of the person who has to act on it.

    Attributes:
        headline: What is the matter, in a few words.
        action: What to do about it, in a sentence or two.
        count: The count that the flag rests on.
        kind: The cause in a word or two.
    """

    headline: str
    action: str
    count: str
    kind: str


KINDS: Mapping[Cause, str] = {
    Cause.MODEL_WRONG: "Copilot wrong",
    Cause.AMBIGUOUS: "Guideline unclear",
    Cause.UNCOVERED: "Not covered",
    Cause.CONFUSED: "Confused pair",
    Cause.SEVERITY_VAGUE: "Severity unclear",
    Cause.DRIFT: "Changed",
    Cause.REVIEWER: "One reviewer differs",
    Cause.MISSED: "Not drafted",
    Cause.MODEL_CHANGE: "New model",
    Cause.GUIDELINE_CHANGE: "New guideline revision",
    Cause.PLACE_VAGUE: "Box unclear",
    Cause.WORDING_DISLIKED: "Wording",
    Cause.RARE_POOLED: "Rare criteria",
    Cause.BULK_HOURS: "Bulk acceptance",
    Cause.FATIGUE: "Long sessions",
}


def advice(flag: Flag, guideline: Guideline, study: Study | None = None) -> Advice:
    """The flag as a headline, something to do, and a count.

    Args:
        flag: What stands out.
        guideline: Names the criteria.
        study: The study with the flag, for advice on scores; None without.
    """
    names = [name_of(criterion, guideline) for criterion in flag.criteria]
    headline, action = _SAYINGS[flag.cause](names, flag.evidence)
    if flag.cause is Cause.MODEL_WRONG and study is not None:
        action = " ".join(filter(None, (action, _about_scores(flag.criteria[0], study))))
    return Advice(headline, action, _count(flag), KINDS[flag.cause])


def _about_scores(criterion: str, study: Study) -> str:
    """What a lowest score would drop and what it would cost; empty where too few scores are known."""
    mine = next((c.calibration for c in study.criteria if c.criterion == criterion), None)
    if mine is None or mine.count < FEWEST_SCORES:
        return ""
    found = lowest_score(mine, everything=study.calibration)
    if found is None:
        return "No lowest score clearly helps: it would cost too many suggestions that reviewers keep."
    return (
        f"Under a score of {found.score:.1f}, reviewers reject {number(found.rejected)} of {number(found.below)}. "
        f"`review-copilot project set --min-score {found.score:.1f}` drops these, and costs {number(found.cost)} "
        f"suggestions under all criteria that reviewers kept."
    )


def _model_wrong(names: list[str], evidence: Evidence) -> tuple[str, str]:
    if (evidence.shared or 0) < FEWEST_SHARED:
        return (
            f"Drafts of {names[0]} are often wrong",
            "Look at the cases, then change threshold, prompt or examples. Have two people review some tasks.",
        )
    return (
        f"Reviewers agree that {names[0]} is drafted wrongly",
        "The guideline holds. Change how the copilot looks: its threshold, its prompt, or its examples.",
    )


def _ambiguous(names: list[str], _: Evidence) -> tuple[str, str]:
    return (
        f"Reviewers read {names[0]} differently",
        "Decide the cases below together, then write the answer into “flag when” and “do not flag when”.",
    )


def _uncovered(_: list[str], evidence: Evidence) -> tuple[str, str]:
    count = evidence.patterns
    what = "flaws" if not count else "1 new pattern" if count == 1 else f"{count} new patterns"
    return (
        f"Reviewers mark {what} that no criterion covers",
        "Read the new patterns below. Each comes with a draft criterion that you can add or reject."
        if count
        else "Open the tasks below. Nothing recurs in them often enough yet to be named as a pattern.",
    )


def _confused(names: list[str], evidence: Evidence) -> tuple[str, str]:
    if not evidence.back:
        return (
            f"{names[0]} is often {names[1]}",
            "Say in both definitions what tells them apart, and add an example of each.",
        )
    return (
        f"{names[0]} and {names[1]} are taken for each other",
        "Say in both definitions what tells them apart, or make them one criterion.",
    )


def _severity(names: list[str], _: Evidence) -> tuple[str, str]:
    return (
        f"The severity of {names[0]} is unclear",
        "Rewrite its anchors for minor, major and critical. Give a number or an example image for each.",
    )


def _drift(names: list[str], evidence: Evidence) -> tuple[str, str]:
    after, before = percent(evidence.rate_after), percent(evidence.rate_before)
    return (
        f"{names[0]}: rejections went from {before} to {after} about {day(evidence.changed_on)}",
        "No new model and no new guideline revision explains it. Check what else changed then: images, rules, people.",
    )


def _reviewer(_: list[str], evidence: Evidence) -> tuple[str, str]:
    who = person(evidence.reviewer or "")
    if evidence.behaviour in {ACCEPTS, ACCEPTS_MORE}:
        pace = " in seconds" if evidence.behaviour == ACCEPTS else ""
        return (
            f"{who} accepts nearly everything{pace}",
            "Talk with them before you rely on these reviews: is there enough time, is the task clear?",
        )
    return (
        f"{who} rejects what others keep",
        "Go through the cases together. They may see what others miss, or read the guideline differently.",
    )


def _missed(names: list[str], _: Evidence) -> tuple[str, str]:
    return (
        f"Reviewers draw {names[0]} by hand",
        "The copilot does not draft it. Lower its threshold for this criterion, or add examples that show it.",
    )


def _changed_with(version: str) -> Callable[[list[str], Evidence], tuple[str, str]]:
    def say(names: list[str], evidence: Evidence) -> tuple[str, str]:
        what = names[0] if len(names) == 1 else f"{len(names)} criteria"
        after, before = percent(evidence.rate_after), percent(evidence.rate_before)
        action = (
            "Compare drafts of both models on the cases. `review-copilot rollback` shows the earlier drafts again."
            if version == "model"
            else "Compare the two revisions of these criteria, and fix the text that changed."
        )
        since = f"Since {version} {evidence.version} ({day(evidence.changed_on)})"
        return (
            f"{since}, {what} {'is' if len(names) == 1 else 'are'} worse: {before} rejected before, {after} now",
            action,
        )

    return say


def _place(names: list[str], _: Evidence) -> tuple[str, str]:
    return (
        f"Reviewers move the boxes of {names[0]}",
        "Say in the definition where the box begins and ends. If reviewers agree on it, give the copilot examples.",
    )


def _wording(names: list[str], _: Evidence) -> tuple[str, str]:
    return (
        f"Reviewers rewrite the texts of {names[0]}",
        "Compare drafted and final texts in the cases, then change the rationale that the guideline asks for.",
    )


def _rare(names: list[str], evidence: Evidence) -> tuple[str, str]:
    return (
        f"{evidence.overridden} of {evidence.reviews} drafts of {len(names)} rare criteria are rejected",
        f"Too few for each alone. Read them together, or stop drafting these: {', '.join(names)}.",
    )


def _bulk(_: list[str], evidence: Evidence) -> tuple[str, str]:
    start, end = evidence.hours or (0, 0)
    return (
        f"{person(evidence.reviewer or '')} accepts nearly everything between {start:02d}:00 and {end:02d}:00 UTC",
        "Have some tasks of these hours reviewed again before you rely on them.",
    )


def _fatigue(_: list[str], evidence: Evidence) -> tuple[str, str]:
    return (
        f"{person(evidence.reviewer or '')} accepts more the longer a session lasts",
        "Suggest shorter sessions, and have some tasks from the end of long ones reviewed again.",
    )


_SAYINGS: Mapping[Cause, Callable[[list[str], Evidence], tuple[str, str]]] = {
    Cause.MODEL_WRONG: _model_wrong,
    Cause.AMBIGUOUS: _ambiguous,
    Cause.UNCOVERED: _uncovered,
    Cause.CONFUSED: _confused,
    Cause.SEVERITY_VAGUE: _severity,
    Cause.DRIFT: _drift,
    Cause.REVIEWER: _reviewer,
    Cause.MISSED: _missed,
    Cause.MODEL_CHANGE: _changed_with("model"),
    Cause.GUIDELINE_CHANGE: _changed_with("guideline revision"),
    Cause.PLACE_VAGUE: _place,
    Cause.WORDING_DISLIKED: _wording,
    Cause.RARE_POOLED: _rare,
    Cause.BULK_HOURS: _bulk,
    Cause.FATIGUE: _fatigue,
}


def _count(flag: Flag) -> str:
    evidence = flag.evidence
    counted = f"{number(evidence.overridden)} of {number(evidence.reviews)}"
    return f"{counted} {_COUNTED.get(flag.cause, 'rejected or relabeled')}"


_COUNTED: Mapping[Cause, str] = {
    Cause.UNCOVERED: "tasks",
    Cause.MISSED: "tasks",
    Cause.CONFUSED: "relabeled",
    Cause.SEVERITY_VAGUE: "severities changed",
    Cause.PLACE_VAGUE: "boxes moved",
    Cause.WORDING_DISLIKED: "texts rewritten",
}


def facts(flag: Flag) -> tuple[tuple[str, str], ...]:
    """The evidence as pairs of term and value, those that do not apply left out."""
    e = flag.evidence
    rows = [
        ("Seen here", f"{percent(e.rate)} ({_count(flag)})"),
        ("95 % interval", between(e.rate_low, e.rate_high)),
        ("Usual in this project", f"{percent(e.natural)}, rarely above {percent(e.natural_high)}"),
        ("Weight of evidence", f"{_times(e.times_likelier)} the normal variation"),
    ]
    if e.shared:
        differed = f"; they differed on {number(e.disputed)}" if e.disputed is not None else ""
        rows.append(("Seen by two or more", f"{number(e.shared)} suggestions{differed}"))
    if e.unclear:
        rows.append(("Reason “guideline unclear”", number(e.unclear)))
    if e.there is not None and e.back is not None:
        rows.append(("Relabeled there and back", f"{number(e.there)} and {number(e.back)}"))
    if e.changed_on:
        rows.append(("Changed", f"{day(e.changed_on)} (between {day(e.changed_from)} and {day(e.changed_to)})"))
    if e.typical_lead_time_s is not None and e.others_lead_time_s is not None:
        rows.append(
            ("Typical time", f"{e.typical_lead_time_s:.0f} s; others {e.others_lead_time_s:.0f} s an annotation")
        )
    return tuple(rows)


def _times(factor: float) -> str:
    if factor >= 1e6:
        return "more than a million times"
    return f"{number(round(factor))} times" if factor >= 10 else f"{factor:.1f} times"
