"""The formats of a report, and the report as text in each. Opens no database, so that `study` starts quickly."""

from __future__ import annotations

import json
from enum import StrEnum

from review_copilot.flows.study_project import ProjectStudy
from review_copilot.reports.study_html import to_html
from review_copilot.reports.study_markdown import to_markdown
from review_copilot.study.study_json import as_json


class Format(StrEnum):
    """Formats that `report` writes."""

    HTML = "html"
    MARKDOWN = "md"
    JSON = "json"


def written(made: ProjectStudy, file_format: Format) -> str:
    """The report as text in one of its formats, with a line break at the end."""
    if file_format is Format.JSON:
        return json.dumps(as_json(made.study), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return to_markdown(made) if file_format is Format.MARKDOWN else to_html(made)
