"""Inspectors by name: ours, and those that third parties add through an entry point."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import a_criterion, a_guideline, an_image
from pictures import scene
from review_copilot.domain.suggestion import Brief
from review_copilot.errors import InspectorUnavailable
from review_copilot.inspectors.options import ModelSetup
from review_copilot.inspectors.registry import InspectorRequest, create_inspector, inspector_names
from review_copilot.plugin import InspectorOptions

PLUGIN = """
from review_copilot.plugin import Inspection

class Silent:
    name = "silent"
    version = "1"
    def __init__(self, options):
        self.concurrency = options.concurrency
    def catalogue(self):
        return ()
    def inspect(self, brief):
        return Inspection(())
"""


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution of somebody else's, as pip leaves it."""
    (tmp_path / "silent_plugin.py").write_text(PLUGIN)
    info = tmp_path / "silent_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: silent-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[review_copilot.inspectors]\nsilent = silent_plugin:Silent\n")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("_installed")
def test_a_third_partys_inspector_is_found_by_its_entry_point() -> None:
    assert inspector_names()[-1] == "silent"
    made = create_inspector("silent", InspectorRequest(InspectorOptions(concurrency=2)))
    assert made.inspect(Brief(an_image(scene()), a_guideline(a_criterion()))).findings == ()


def test_our_own_names_are_known_without_loading_anything() -> None:
    assert inspector_names()[:4] == ("builtin", "openai", "transformers", "hybrid")


@pytest.mark.parametrize("name", ["openai", "transformers", "hybrid"])
def test_a_model_inspector_without_a_model_says_what_to_set(name: str) -> None:
    with pytest.raises(InspectorUnavailable, match="Set REVIEW_COPILOT_MODEL"):
        create_inspector(name, InspectorRequest())


def test_a_key_is_in_no_printed_setup() -> None:
    setup = ModelSetup("m", system_prompt="", user_prompt="", second_look_prompt="", api_key="k-secret")
    assert "k-secret" not in repr(setup)
