"""The Label Studio that Review Copilot works for. Knows no token and no HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.domain.review import ProjectKey


@dataclass(frozen=True, slots=True)
class Instance:
    """One Label Studio.

    Attributes:
        name: Its name in the log.
        browser_url: Its URL in users' browsers, without a trailing slash.
    """

    name: str
    browser_url: str

    def link_to(self, project: ProjectKey) -> str:
        """URL of a project's Label Studio in a browser; empty if the log has only a name for it."""
        if project.instance == self.name:
            return self.browser_url
        return project.instance if project.instance.startswith(("https://", "http://")) else ""
