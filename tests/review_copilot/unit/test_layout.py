"""Files stay small, and a file's name alone says which one is meant."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

BACKEND = Path(__file__).parents[3] / "backend"
MOST_LINES = 400


def modules(package: str) -> list[Path]:
    found = sorted((BACKEND / package).rglob("*.py"))
    assert len(found) > 20
    return found


@pytest.mark.parametrize("package", ["review_copilot", "photo_inspector"])
def test_no_file_name_occurs_twice_in_a_package(package: str) -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for module in modules(package):
        places[module.name].append(str(module.relative_to(BACKEND)))
    twice = {name: found for name, found in places.items() if len(found) > 1 and not name.startswith("__")}
    assert twice == {}


@pytest.mark.parametrize("package", ["review_copilot", "photo_inspector"])
def test_no_module_is_longer_than_400_lines(package: str) -> None:
    lines = {str(m.relative_to(BACKEND)): len(m.read_text("utf-8").splitlines()) for m in modules(package)}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
