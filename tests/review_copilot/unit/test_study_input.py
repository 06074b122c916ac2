"""The door of the study for logs of any origin."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from review_copilot import study as package
from review_copilot.study.study_input import CriterionText, StudyInput, study_input
from review_copilot.study.study_json import as_json
from review_copilot.study.table import table_of
from study_rows import logged_rows
from study_world import Plan, make_world


def test_criteria_pictures_and_links_come_from_the_caller() -> None:
    made = make_world(Plan(1, "model_wrong", 0.5, tasks=300, criteria=("A", "B", "C", "D", "E", "F")))
    given = StudyInput(
        table_of(logged_rows(made)),
        criteria={"F": CriterionText("Frayed"), "unused": CriterionText("Never drafted")},
        picture=lambda row: f"row-{row}.jpg",
        link=lambda task: f"https://example.org/{task}",
    )
    found = study_input(given)
    assert [c.criterion for c in found.criteria][:2] == ["F", "unused"]
    cases = [case for flag in found.flags for case in flag.cases]
    assert cases
    assert all(c.picture == f"row-{c.row}.jpg" and c.link == f"https://example.org/{c.task}" for c in cases)
    assert "example.org" in str(as_json(found)["flags"])


def test_the_study_imports_numbers_and_the_domain_only() -> None:
    """NumPy, SciPy, scikit-learn, rapidfuzz; of ours the domain, errors and itself."""
    allowed = {"numpy", "scipy", "sklearn", "rapidfuzz", "__future__"} | sys.stdlib_module_names
    ours = ("review_copilot.domain", "review_copilot.errors", "review_copilot.study")
    for path in Path(str(package.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in allowed or name.startswith(ours), f"{path.name} imports {name}"
