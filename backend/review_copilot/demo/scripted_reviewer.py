"""Review through Label Studio's REST API as a person does in the editor, for `make demo ARGS=--once`.

Uses the predictions in Label Studio. Knows no store.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, TypeAlias

import requests

Result: TypeAlias = dict[str, Any]
"""One entry of an annotation's `result`, as Label Studio writes it."""


@dataclass(frozen=True)
class ScriptedReviewer:
    """A signed-in reviewer.

    Attributes:
        url: Base URL of Label Studio, without a trailing slash.
        session: A signed-in session that can send POST requests.
    """

    url: str
    session: requests.Session

    def tasks(self, project_id: int) -> list[dict[str, Any]]:
        """The project's tasks with their predictions, in order of id."""
        answer = self.session.get(
            f"{self.url}/api/tasks",
            params={"project": str(project_id), "fields": "all", "page_size": "1000"},
            timeout=60,
        )
        answer.raise_for_status()
        return sorted(answer.json()["tasks"], key=lambda task: int(task["id"]))

    def submit(self, task: dict[str, Any], result: list[Result], *, lead_time_s: float = 12.0) -> int:
        """Submit an annotation that started from the task's prediction, and return its id."""
        answer = self.session.post(
            f"{self.url}/api/tasks/{task['id']}/annotations",
            json={
                "result": result,
                "lead_time": lead_time_s,
                "parent_prediction": task["predictions"][0]["id"] if task["predictions"] else None,
            },
            timeout=60,
        )
        answer.raise_for_status()
        return int(answer.json()["id"])


def drafted(task: dict[str, Any]) -> list[Result]:
    """The draft that the editor would show."""
    return copy.deepcopy(task["predictions"][0]["result"]) if task["predictions"] else []


def region_ids(result: list[Result]) -> list[str]:
    """Ids of the boxes of a draft, in order."""
    return [str(entry["id"]) for entry in result if entry["type"] == "rectanglelabels"]


def without_region(result: list[Result], region_id: str) -> list[Result]:
    """The result without a box."""
    return [entry for entry in result if entry["id"] != region_id]


def moved(result: list[Result], region_id: str, *, by_percent: float) -> list[Result]:
    """The result with a box that is smaller at its left and top. All entries of a region repeat its geometry."""
    changed = copy.deepcopy(result)
    for entry in changed:
        if entry["id"] == region_id and "x" in entry["value"]:
            value = entry["value"]
            for start, size in (("x", "width"), ("y", "height")):
                step = min(by_percent, value[size] / 2)
                value[start] += step
                value[size] -= step
    return changed


def chosen(result: list[Result], region_id: str, *, tag: str, to_name: str, choices: list[str]) -> list[Result]:
    """The result with other choices of a box."""
    changed = [entry for entry in result if not (entry["id"] == region_id and entry["from_name"] == tag)]
    box = next(entry for entry in result if entry["id"] == region_id and entry["type"] == "rectanglelabels")
    geometry = {side: box["value"][side] for side in ("x", "y", "width", "height", "rotation")}
    entry = {**box, "from_name": tag, "to_name": to_name, "type": "choices", "value": {**geometry, "choices": choices}}
    return [*changed, {key: value for key, value in entry.items() if key not in {"score", "meta"}}]


def reworded(result: list[Result], region_id: str, *, text: str) -> list[Result]:
    """The result with another rationale of a box."""
    changed = copy.deepcopy(result)
    for entry in changed:
        if entry["id"] == region_id and entry["type"] == "textarea":
            entry["value"]["text"] = [text]
    return changed


def drawn(*, region_id: str, tag: str, to_name: str, label: str, percent: tuple[float, float, float, float]) -> Result:
    """A box that the reviewer drew. `percent` is (x, y, width, height) in percent of the image."""
    x, y, width, height = percent
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label]}
    return {
        "id": region_id,
        "from_name": tag,
        "to_name": to_name,
        "type": "rectanglelabels",
        "origin": "manual",
        "value": value,
    }
