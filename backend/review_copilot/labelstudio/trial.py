"""Try a label config on a project's tasks: does each have an image, and is a whole draft valid? Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.review import Exposure, ProjectKey, Provenance, Review, ReviewTask, TaskKey
from review_copilot.domain.suggestion import Scope, Suggestion
from review_copilot.errors import LabelConfigError
from review_copilot.labelstudio.client import LabelStudioClient, RawTask
from review_copilot.labelstudio.config_plan import ConfigPlan
from review_copilot.labelstudio.regions import to_prediction
from review_copilot.labelstudio.tasks import read_task

MOST_TRIED = 20
LOOKED_AT = 200
"""Tasks among which the most different ones are chosen: two pages."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a label config does with real tasks.

    Attributes:
        tried: Number of tasks that were tried.
        without_image: Ids of those that have no image.
        pages: Most pages of a task.
        invalid: What Label Studio would reject in a draft with one suggestion per criterion, as sentences.
    """

    tried: int
    without_image: tuple[int, ...] = ()
    pages: int = 1
    invalid: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """One sentence about it."""
        if not self.tried:
            return "The project has no tasks to try it on yet."
        having = self.tried - len(self.without_image)
        pages = f", with up to {self.pages} pages" if self.pages > 1 else ""
        missing = f" Task {self.without_image[0]} has none." if self.without_image else ""
        return f"Tried on {self.tried} tasks: {having} have an image{pages}.{missing}"


def try_on_tasks(client: LabelStudioClient, key: ProjectKey, *, plan: ConfigPlan, guideline: Guideline) -> Trial:
    """Resolve the images of up to `MOST_TRIED` tasks of differing shape, and validate a draft of one of them.

    Raises:
        LabelConfigError: The project has tasks, and none of those that were tried has an image.
        LabelStudioError: The tasks cannot be read.
    """
    raw = list(islice(client.tasks(key.project_id, include=("id", "data"), everything=False), LOOKED_AT))
    tasks = [read_task(one, project=key, labels=plan.labels) for one in _most_different(raw)]
    without = tuple(task.key.task_id for task in tasks if not task.image)
    if tasks and len(without) == len(tasks):
        fields = ", ".join(sorted({str(name) for one in raw for name in _data(one)})[:12])
        raise LabelConfigError(
            f'None of {len(tasks)} tasks has an image in "{plan.labels.image_value}", the value of the tag '
            f'"{plan.labels.image}".',
            hint=f"Set the value of the Image tag to one of the tasks' fields: {fields}.",
        )
    invalid = tuple(_invalid(plan, guideline, tasks)) if tasks else ()
    return Trial(len(tasks), without, max((1 + len(task.pages) for task in tasks), default=1), invalid)


def _most_different(raw: Sequence[RawTask]) -> Iterator[RawTask]:
    """One task of each shape, then others, until there are enough; a shape is the fields with their kinds of values."""
    seen: set[frozenset[tuple[str, str]]] = set()
    first: list[RawTask] = []
    others: list[RawTask] = []
    for one in raw:
        shape = frozenset((str(name), type(value).__name__) for name, value in _data(one).items())
        (others if shape in seen else first).append(one)
        seen.add(shape)
    yield from (*first, *others)[:MOST_TRIED]


def _data(raw: RawTask) -> Mapping[object, object]:
    data = raw.get("data")
    return data if isinstance(data, Mapping) else {}


def _invalid(plan: ConfigPlan, guideline: Guideline, tasks: Sequence[ReviewTask]) -> Iterator[str]:
    """What the SDK, which uses Label Studio's own rules, finds wrong with a draft that uses every label."""
    from label_studio_sdk.label_interface.interface import LabelInterface  # noqa: PLC0415  # takes a second to load

    review = _whole_review(tasks[0].key, guideline)
    payload = to_prediction(review, plan.labels).payload
    found = LabelInterface(plan.xml).validate_prediction(payload, return_errors=True)  # type: ignore[no-untyped-call]
    yield from dict.fromkeys(str(error) for error in found)


def _whole_review(key: TaskKey, guideline: Guideline) -> Review:
    """A draft with one suggestion per criterion, and one that no criterion covers. It is never stored."""
    labels = [(criterion.id, criterion.label) for criterion in guideline.criteria] + [
        (UNCOVERED, guideline.novel.label)
    ]
    severities = list(Severity)
    return Review(
        id="trial",
        key=key,
        suggestions=tuple(
            Suggestion(
                id=f"trial-{number}",
                criterion_id=criterion_id,
                label=label,
                severity=severities[number % len(severities)],
                score=0.5,
                scope=Scope.REGION,
                box=Box(0.1, 0.1, 0.2, 0.2),
                rationale="Trial.",
                evidence={},
                source="trial",
            )
            for number, (criterion_id, label) in enumerate(labels)
        ),
        verdict=Verdict.DISCUSS,
        summary="Trial.",
        provenance=Provenance("trial", "trial", "trial", guideline.id, guideline.revision),
        exposure=Exposure.SHOWN,
        created_at=datetime.now(UTC),
        image_width_px=100,
        image_height_px=100,
    )
