"""Label configs, each mapped to a project's guideline once. Safe to use from several threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey
from review_copilot.labelstudio.mapping import LabelMap, read_label_config

MOST_KEPT = 64
"""Maximum number of mapped label configs that are kept: more than one backend's projects have at the same time."""


class LabelMaps:
    """Maps the label configs that Label Studio sends with each request."""

    def __init__(self, guideline_of: Callable[[ProjectKey], Guideline]) -> None:
        """Create an empty cache.

        Args:
            guideline_of: The guideline of a project.
        """
        self._guideline_of = guideline_of
        self._guidelines: dict[str, Guideline] = {}
        self._mapped = lru_cache(maxsize=MOST_KEPT)(self._map)

    def __call__(self, project: ProjectKey, xml: str) -> LabelMap:
        """The label config mapped to the project's guideline.

        Raises:
            LabelConfigError: The label config is not XML, shows no image, or has no tag that draws boxes on it.
        """
        guideline = self._guideline_of(project)
        self._guidelines[guideline.revision] = guideline
        return self._mapped(xml, guideline.revision)

    def _map(self, xml: str, revision: str) -> LabelMap:
        return read_label_config(xml, self._guidelines[revision])
