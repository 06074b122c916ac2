"""Fixtures of the fault tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fault_bench import Figures
from fault_environment import LabelStudio


@pytest.fixture(scope="session")
def label_studio_house(
    label_studio_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabelStudio]:
    """A server of our own, for it is restarted."""
    server = LabelStudio(label_studio_environment, tmp_path_factory.mktemp("label-studio"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


@pytest.fixture(scope="session")
def figures() -> Figures:
    named = os.environ.get("REVIEW_COPILOT_FAULT_FIGURES")
    return Figures(Path(named) if named else None)
