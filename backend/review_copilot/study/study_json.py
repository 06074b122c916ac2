"""The documented JSON form of a study. Knows nothing but how to write it down.

    {"flags": [{"criterion": id, [A, B] for a pair, or null, "cause", "summary", "evidence": {...}, "confidence",
                "tasks": [...], "cases": [{"task", "annotation", "why"}], "words": [...]}],
     "novel_patterns": [{"name", "size", "tasks", "words", "growth", "reviewers", "first_seen", "last_seen",
                         "typical": [...], "draft": {"label", "definition", "flag_when"}}],
     "agreement": {"tasks", "headline", "basis", "blind_tasks", "blind", "overall", "verdict", "decision", "box_f1",
                   "criteria": [...], "reviewers": [...]},
     "criteria": [{"criterion", "suggestions", "overridden", "rate", "rate_interval", "shrunken_rate",
                   "natural_rate", "natural_95", "q", "outcomes", "reasons", "text_kept", "added", "change",
                   "enough_reviews", "outlook", "calibration"}],
     "calibration": {...}, "automation_bias": {...}, "confusions": [...], "weeks": [...],
     "time_saved": {"drafted", "undrafted", "drafted_s", "undrafted_s", "saved_s", "low_s", "high_s"} or null,
     "busiest": {"reviewer", "annotations"} or null, "period": {"since", "until"},
     "counts": {"rows", "tasks", "annotations", "skipped", "unclaimed"}}

Tasks are Label Studio's task ids. What is not known is null; a fact of the evidence that does not apply is left out.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TypeAlias

from review_copilot.study.criterion_rates import CriterionStudy, Week
from review_copilot.study.flags import Case, Flag
from review_copilot.study.patterns import Pattern
from review_copilot.study.project_study import Study, iso

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


def as_json(study: Study) -> dict[str, Json]:
    """The study as plain values that `json.dumps` takes; no NaN in it."""
    return {
        "flags": [_flag(flag) for flag in study.flags],
        "novel_patterns": [_pattern(pattern) for pattern in study.novel_patterns],
        "agreement": _plain(asdict(study.agreement)),
        "criteria": [_criterion(criterion) for criterion in study.criteria],
        "calibration": _plain(asdict(study.calibration)),
        "automation_bias": _plain(asdict(study.bias)),
        "confusions": [_plain(asdict(confusion)) for confusion in study.confusions],
        "weeks": [
            {
                "start": iso(w.start_s),
                "suggestions": w.suggestions,
                "overridden": w.overridden,
                "annotations": w.annotations,
            }
            for w in study.weeks
        ],
        "time_saved": _plain(asdict(study.saved)) if study.saved else None,
        "busiest": _plain(asdict(study.busiest)) if study.busiest else None,
        "period": {"since": iso(study.since_s), "until": iso(study.until_s)},
        "counts": {
            "rows": study.rows,
            "tasks": study.tasks,
            "annotations": study.annotations,
            "skipped": study.skipped,
            "unclaimed": study.unclaimed,
        },
    }


def _flag(flag: Flag) -> Json:
    named: Json = None
    if flag.criteria:
        named = flag.criteria[0] if len(flag.criteria) == 1 else list(flag.criteria)
    return {
        "criterion": named,
        "cause": str(flag.cause),
        "summary": flag.summary,
        "evidence": _plain({name: value for name, value in asdict(flag.evidence).items() if value is not None}),
        "confidence": round(flag.confidence, 6),
        "tasks": list(flag.tasks),
        "cases": [_case(case) for case in flag.cases],
        "words": list(flag.words),
    }


def _case(case: Case) -> Json:
    shown = {name: value for name, value in (("picture", case.picture), ("link", case.link)) if value}
    return {"task": case.task, "annotation": case.annotation, "why": case.why, **shown}


def _pattern(pattern: Pattern) -> Json:
    return {
        "name": pattern.name,
        "size": pattern.size,
        "tasks": list(pattern.tasks),
        "words": list(pattern.words),
        "growth": pattern.growth,
        "reviewers": pattern.reviewers,
        "first_seen": iso(pattern.first_seen_s),
        "last_seen": iso(pattern.last_seen_s),
        "typical": [_plain(asdict(sighting)) for sighting in pattern.typical],
        "draft": _plain(asdict(pattern.draft)),
    }


def _criterion(criterion: CriterionStudy) -> Json:
    standing, outlook = criterion.standing, criterion.outlook
    return {
        "criterion": criterion.criterion,
        "suggestions": criterion.suggestions,
        "overridden": criterion.overridden,
        "rate": _plain(criterion.rate),
        "rate_interval": [standing.rate_low, standing.rate_high] if standing else None,
        "shrunken_rate": standing.shrunken if standing else None,
        "natural_rate": standing.natural if standing else None,
        "natural_95": standing.natural_high if standing else None,
        "q": standing.q if standing else None,
        "outcomes": dict(criterion.outcomes),
        "reasons": dict(criterion.reasons),
        "text_kept": _plain(criterion.text_kept),
        "added": criterion.added,
        "change": _plain(asdict(criterion.change)) if criterion.change else None,
        "enough_reviews": not outlook.more_reviews if outlook else None,
        "outlook": outlook.words if outlook else None,
        "calibration": _plain(asdict(criterion.calibration)),
    }


def _week(week: Week) -> Json:
    return {
        "start": iso(week.start_s),
        "suggestions": week.suggestions,
        "overridden": week.overridden,
        "annotations": week.annotations,
    }


def _plain(value: object) -> Json:
    """Tuples as lists, NaN and infinity as null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"a study holds no {type(value).__name__}")
