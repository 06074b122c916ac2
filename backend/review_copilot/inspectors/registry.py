"""Which inspectors there are, and how one is made. Knows names, loads nothing until asked.

A plug-in of somebody else's is an entry point of the group `review_copilot.inspectors` whose object takes one
`InspectorOptions` and returns something that fulfils `ports.Inspector`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points

from review_copilot.errors import InspectorUnavailable
from review_copilot.inspectors.options import InspectorOptions
from review_copilot.ports import Inspector

ENTRY_POINT_GROUP = "review_copilot.inspectors"


def _builtin(options: InspectorOptions) -> Inspector:
    from review_copilot.inspectors.builtin import BuiltinInspector

    return BuiltinInspector(editing_budget_s=options.editing_budget_s)


def _openai(options: InspectorOptions) -> Inspector:
    from review_copilot.inspectors.assembly import openai_inspector

    return openai_inspector(options)


def _transformers(options: InspectorOptions) -> Inspector:
    from review_copilot.inspectors.assembly import transformers_inspector

    return transformers_inspector(options)


def _hybrid(options: InspectorOptions) -> Inspector:
    from review_copilot.inspectors.assembly import hybrid_inspector

    return hybrid_inspector(options)


LOADERS: Mapping[str, Callable[[InspectorOptions], Inspector]] = {
    "builtin": _builtin,
    "openai": _openai,
    "transformers": _transformers,
    "hybrid": _hybrid,
}


def inspector_names() -> tuple[str, ...]:
    """Names that `create_inspector` knows, ours first."""
    theirs = sorted({point.name for point in entry_points(group=ENTRY_POINT_GROUP)} - LOADERS.keys())
    return (*LOADERS, *theirs)


def create_inspector(name: str, options: InspectorOptions) -> Inspector:
    """The inspector of that name.

    Raises:
        InspectorUnavailable: Nobody goes by that name, or an extra that it needs is not installed.
    """
    if loader := LOADERS.get(name):
        return loader(options)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == name:
            made: Inspector = point.load()(options)
            return made
    raise InspectorUnavailable(
        f"There is no inspector {name!r}.", hint=f"These are known: {', '.join(inspector_names())}."
    )
