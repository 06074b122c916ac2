"""Write a simulated project as the Label Studio export that a team would have, and what was planted in it.

    python benchmarks/study_export.py EXPORT.json --cause ambiguous --rate 0.35 --seed 3 [--tasks 2000] [--truth FILE]

The export holds full predictions, as a snapshot with `predictions.only_id=false` does, in the shape of the shipped
label config. Knows the wire form by itself, so that a mistake of the product's own writer cannot hide here.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from review_copilot.library import load_guideline
from study_world import START, Plan, ReviewedTask, Shown, Submission, Truth, World, make_world

WIDTH_PX, HEIGHT_PX = 1600, 1200
MODEL_VERSION = "simulated r1"
Json = dict[str, object]


def export(world: World, labels: Mapping[str, str]) -> Iterator[Json]:
    """The tasks of a project as the export has them.

    Args:
        world: The project.
        labels: Rectangle label of each criterion id.
    """
    for task in world.tasks:
        yield {
            "id": task.id,
            "data": {"image": f"https://images.example/{task.id}.jpg"},
            "created_at": _moment(START - timedelta(days=1)),
            "predictions": [_prediction(task, labels)],
            "annotations": [_annotation(task, submission, labels) for submission in task.submissions],
        }


def _prediction(task: ReviewedTask, labels: Mapping[str, str]) -> Json:
    return {
        "id": 1_000_000 + task.id,
        "task": task.id,
        "model_version": MODEL_VERSION,
        "created_at": _moment(START - timedelta(days=1)),
        "score": round(sum(s.score for s in task.shown) / max(1, len(task.shown)), 4),
        "result": [part for shown in task.shown for part in _region(shown, labels, scored=True)],
    }


def _annotation(task: ReviewedTask, submission: Submission, labels: Mapping[str, str]) -> Json:
    result: list[Json] = []
    for decision in submission.decisions:
        if decision.became is not None:
            reasons = ["guideline unclear"] if decision.unclear else []
            result += _region(decision.became, labels, reasons=reasons)
    for added in submission.added:
        result += _region(added, labels)
    number = int(submission.reviewer.rpartition("-")[2])
    return {
        "id": submission.id,
        "task": task.id,
        "completed_by": {"id": number, "email": f"{submission.reviewer}@team.example"},
        "created_at": _moment(submission.at),
        "updated_at": _moment(submission.at),
        "lead_time": round(submission.lead_time_s, 3),
        "was_cancelled": False,
        "ground_truth": False,
        "parent_prediction": 1_000_000 + task.id,
        "parent_annotation": None,
        "result": result,
    }


def _region(
    shown: Shown, labels: Mapping[str, str], *, reasons: Iterable[str] = (), scored: bool = False
) -> Iterator[Json]:
    """Box, severity, rationale and reasons under one region id; each repeats the place."""
    box = shown.box
    place = {
        "x": 100 * box.x,
        "y": 100 * box.y,
        "width": 100 * box.width,
        "height": 100 * box.height,
        "rotation": 0,
    }
    common: Json = {
        "id": shown.id,
        "to_name": "image",
        "original_width": WIDTH_PX,
        "original_height": HEIGHT_PX,
        "image_rotation": 0,
    }
    label: Json = {"score": shown.score} if scored else {"origin": "prediction"}
    value: Json = {**place, "rectanglelabels": [labels[shown.criterion]]}
    yield {**common, **label, "from_name": "label", "type": "rectanglelabels", "value": value}
    value = {**place, "choices": [str(shown.severity)]}
    yield {**common, "from_name": "severity", "type": "choices", "value": value}
    yield {**common, "from_name": "rationale", "type": "textarea", "value": {**place, "text": [shown.text]}}
    ticked = list(reasons)
    if ticked:
        yield {**common, "from_name": "reasons", "type": "choices", "value": {**place, "choices": ticked}}


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def truth_as_json(truth: Truth) -> Json:
    """What was planted."""
    return {
        "cause": truth.cause,
        "criteria": list(truth.criteria),
        "reviewer": truth.reviewer.rpartition("-")[2],
        "at": truth.at.isoformat() if truth.at else None,
        "pattern_of": truth.pattern_of,
        "natural_rates": truth.natural_rates,
    }


def labels_of(guideline_id: str) -> dict[str, str]:
    """Rectangle label of each criterion of a shipped guideline, and of what none of them covers."""
    guideline = load_guideline(guideline_id)
    return {c.id: c.label for c in guideline.criteria} | {"uncovered": guideline.novel.label}


def main(arguments: Iterable[str] | None = None) -> None:
    """Write one export, and its truth where asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("--cause", default="", help="one of study_world.CAUSES; empty for nothing wrong")
    parser.add_argument("--rate", type=float, default=0.35)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--truth", type=Path)
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    world = make_world(Plan(seed=chosen.seed, cause=chosen.cause, rate=chosen.rate, tasks=chosen.tasks))
    labels = labels_of("photo-quality")
    with chosen.export.open("w", encoding="utf-8") as file:
        file.write("[\n")
        for number, task in enumerate(export(world, labels)):
            file.write((",\n" if number else "") + json.dumps(task))
        file.write("\n]\n")
    if chosen.truth:
        chosen.truth.write_text(json.dumps(truth_as_json(world.truth), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
