"""Which inspectors there are, and how one is created. Knows names; loads nothing until asked.

Every inspector that asks no model comes by an entry point, the built-in one too. See `review_copilot.plugin`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from review_copilot.domain.measure import Measure
from review_copilot.errors import InspectorUnavailable
from review_copilot.inspectors.options import ModelSetup
from review_copilot.plugin import ENTRY_POINT_GROUP, InspectorOptions
from review_copilot.ports import Inspector, Shared

if TYPE_CHECKING:  # loaded when a model is asked for
    from review_copilot.inspectors.model_inspector import ModelInspector

BUILTIN = "builtin"
"""The inspector that measures for `hybrid`, and the default."""


@dataclass(frozen=True, slots=True)
class InspectorRequest:
    """Everything that an inspector of any kind may be created from.

    Attributes:
        options: Plain values for inspectors that come by an entry point.
        model: For inspectors that ask a model; None where no model is set.
        shared: What model inspectors share with other processes.
    """

    options: InspectorOptions = field(default_factory=InspectorOptions)
    model: ModelSetup | None = None
    shared: Shared = field(default_factory=Shared)

    @property
    def required_model(self) -> ModelSetup:
        """The model setup.

        Raises:
            InspectorUnavailable: No model is set.
        """
        if self.model is None or not self.model.model:
            raise InspectorUnavailable(
                "No model is set for the inspector.",
                hint="Set REVIEW_COPILOT_MODEL, and REVIEW_COPILOT_MODEL_BASE_URL where it is not OpenAI's.",
            )
        return self.model


def _openai(request: InspectorRequest) -> Inspector:
    from review_copilot.inspectors.assembly import openai_inspector

    return _with_measures(openai_inspector(request.required_model, shared=request.shared), request)


def _transformers(request: InspectorRequest) -> Inspector:
    from review_copilot.inspectors.assembly import transformers_inspector

    return _with_measures(transformers_inspector(request.required_model, shared=request.shared), request)


def _with_measures(model: ModelInspector, request: InspectorRequest) -> Inspector:
    """The model, with measurements of the criteria that no model can judge."""
    from review_copilot.inspectors.hybrid import HybridInspector

    measuring = _by_entry_point(BUILTIN, request.options)
    return HybridInspector(measuring=measuring, model=model, evidence=False)


def _hybrid(request: InspectorRequest) -> Inspector:
    from review_copilot.inspectors.assembly import hybrid_inspector

    setup = request.required_model
    return hybrid_inspector(setup, shared=request.shared, measuring=_by_entry_point(BUILTIN, request.options))


MODEL_INSPECTORS: Mapping[str, Callable[[InspectorRequest], Inspector]] = {
    "openai": _openai,
    "transformers": _transformers,
    "hybrid": _hybrid,
}


def inspector_names() -> tuple[str, ...]:
    """Names that `create_inspector` knows: the built-in, the model inspectors, then others by name."""
    others = sorted({point.name for point in entry_points(group=ENTRY_POINT_GROUP)} - {BUILTIN, *MODEL_INSPECTORS})
    return (BUILTIN, *MODEL_INSPECTORS, *others)


def create_inspector(name: str, request: InspectorRequest) -> Inspector:
    """The inspector of that name.

    Raises:
        InspectorUnavailable: There is no inspector of that name, or an extra that it needs is not installed.
    """
    if create := MODEL_INSPECTORS.get(name):
        return create(request)
    return _by_entry_point(name, request.options)


def measure_catalogue() -> tuple[Measure, ...]:
    """The measures of every inspector that comes by an entry point, the built-in's first; a name counts once.

    Raises:
        InspectorUnavailable: The built-in inspector is not installed.
    """
    others = [point.name for point in entry_points(group=ENTRY_POINT_GROUP) if point.name != BUILTIN]
    found: dict[str, Measure] = {}
    for name in (BUILTIN, *others):
        for measure in _by_entry_point(name, InspectorOptions()).catalogue():
            found.setdefault(measure.name, measure)
    return tuple(found.values())


def _by_entry_point(name: str, options: InspectorOptions) -> Inspector:
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == name:
            created: Inspector = point.load()(options)
            return created
    raise InspectorUnavailable(
        f"There is no inspector named {name!r}.", hint=f"Choose one of these: {', '.join(inspector_names())}."
    )
