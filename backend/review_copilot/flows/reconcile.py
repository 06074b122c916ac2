"""Compare the predictions in Label Studio with the expected ones. Knows ports only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from review_copilot.domain.review import Review
from review_copilot.ports import StoredPrediction, Workspace


def held(workspace: Workspace, *, rollout: str, task_ids: Sequence[int]) -> Mapping[int, Sequence[StoredPrediction]]:
    """Predictions under a roll-out by task id, without tasks that have none."""
    found: defaultdict[int, list[StoredPrediction]] = defaultdict(list)
    for prediction in workspace.predictions(rollout=rollout, task_ids=task_ids) if task_ids else ():
        found[prediction.task_id].append(prediction)
    return found


def extras(stored: Mapping[int, Sequence[StoredPrediction]], wanted: Mapping[int, Review]) -> list[int]:
    """Ids of extra predictions per task; the one that matches the stored draft remains."""
    surplus: list[int] = []
    for task_id, predictions in stored.items():
        if len(predictions) > 1:
            ours = {s.id for s in wanted[task_id].suggestions} if task_id in wanted else set()
            fitting = [p for p in predictions if ours and ours & set(p.region_ids)]
            keep = max(fitting or predictions, key=lambda p: p.id)
            surplus.extend(p.id for p in predictions if p is not keep)
    return surplus
