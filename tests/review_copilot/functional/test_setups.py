"""Each project is drafted by a setup of its own, from the database, and the settings are defaults for the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import typed
from review_copilot.bootstrap.process import Process, open_process
from review_copilot.bootstrap.setups import (
    SetupResolver,
    asks_elsewhere,
    changed_setup,
    default_setup,
    guideline_of,
    settings_for,
)
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import CopilotError, InspectorUnavailable, LibraryError, SettingsError
from review_copilot.flows.review_context import rollout_of
from review_copilot.library import load_guideline
from review_copilot.library.model_connections import read_connections
from review_copilot.settings import Settings, load_settings

PROJECTS = [ProjectKey("http://localhost:8080", number, "1732360000") for number in range(1, 6)]
MODELS = """
fast:
  base_url: http://127.0.0.1:9/v1
  model: a-small-model
  api_key_env: A_KEY
strong:
  base_url: https://api.example.com/v1
  model: a-large-model
  api_key_file: {key}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    key = tmp_path / "key"
    key.write_text("from-a-file\n", encoding="utf-8")
    models = tmp_path / "models.yaml"
    models.write_text(MODELS.format(key=key), encoding="utf-8")
    return load_settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/log.db", models=models)


@pytest.fixture
def process(settings: Settings) -> Iterator[Process]:
    opened = open_process(settings)
    yield opened
    opened.close()


def test_each_project_is_seen_through_its_own_set_up(process: Process) -> None:
    """Asked for by turns from several threads, no project gets another's."""
    settings = process.settings
    names = ("photo-quality", "pcb", "generated-image", "edited-photo")
    for project, name in zip(PROJECTS, names, strict=False):
        inspector, model = ("hybrid", "fast") if name == "generated-image" else ("builtin", "")
        process.store.store_setup(
            project, changed_setup(default_setup(settings), settings, guideline=name, inspector=inspector, model=model)
        )
    seen: list[tuple[int, str, str]] = []

    def ask(turn: int) -> None:
        for step in range(len(PROJECTS)):
            project = PROJECTS[(turn + step) % len(PROJECTS)]
            setup = process.setup_of(project)
            seen.append((project.project_id, setup.guideline.id, setup.inspector.name))

    threads = [threading.Thread(target=ask, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {
        (1, "photo-quality", "builtin"),
        (2, "pcb", "builtin"),
        (3, "generated-image", "hybrid"),
        (4, "edited-photo", "builtin"),
        (5, "photo-quality", "builtin"),  # no setup of its own: the settings'
    }
    assert len(seen) == 8 * len(PROJECTS)


def test_projects_with_equal_set_ups_share_one_inspector(process: Process) -> None:
    setup = changed_setup(default_setup(process.settings), process.settings, guideline="pcb")
    for project in PROJECTS[:2]:
        process.store.store_setup(project, setup)
    assert process.setup_of(PROJECTS[0]) is process.setup_of(PROJECTS[1])


def test_a_set_up_equal_to_the_settings_drafts_nothing_anew(process: Process) -> None:
    """The version under which drafts are stored depends on what drafts, and not on where that is kept."""
    before = process.setup_of(PROJECTS[0]).model_version
    process.store.store_setup(PROJECTS[0], default_setup(process.settings))
    assert isinstance(process.setup_of, SetupResolver)
    process.setup_of.forget(PROJECTS[0])
    assert process.setup_of(PROJECTS[0]).model_version == before


def test_the_guideline_stays_when_its_file_changes(settings: Settings, tmp_path: Path) -> None:
    """A project holds the whole guideline: a file that is edited or gone changes no draft."""
    file = tmp_path / "listing.yaml"
    shipped = changed_setup(default_setup(settings), settings, guideline="pcb").guideline_text
    file.write_text(shipped, encoding="utf-8")
    setup = changed_setup(default_setup(settings), settings, guideline=str(file))
    file.unlink()
    assert guideline_of(setup).id == "listing"
    assert guideline_of(setup).revision == setup.guideline_revision


def test_a_named_connection_gives_model_address_and_key(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "from-the-environment")
    setup = changed_setup(default_setup(settings), settings, inspector="openai", model="fast")
    own = settings_for(setup, settings)
    assert (own.model, own.model_base_url) == ("a-small-model", "http://127.0.0.1:9/v1")
    assert own.model_api_key.get_secret_value() == "from-the-environment"
    strong = settings_for(changed_setup(setup, settings, model="strong"), settings)
    assert strong.model_api_key.get_secret_value() == "from-a-file"
    assert "from-" not in str(setup), "a setup holds no secret"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"guideline": "photo-qualty"}, LibraryError, 'Did you mean "photo-quality"'),
        ({"inspector": "builtinn"}, InspectorUnavailable, "builtin, openai"),
        ({"inspector": "openai", "model": "fats"}, LibraryError, 'Did you mean "fast"'),
        ({"inspector": "openai"}, InspectorUnavailable, "REVIEW_COPILOT_MODEL"),
        ({"inspector": "openai", "model": "strong", "images_may_leave": False}, SettingsError, "on this machine"),
    ],
)
def test_a_set_up_that_cannot_work_is_refused_with_what_to_do(
    settings: Settings, changes: dict[str, object], error: type[CopilotError], words: str
) -> None:
    with pytest.raises(error) as caught:
        changed_setup(default_setup(settings), settings, **changes)  # type: ignore[arg-type]  # by name
    assert words in f"{caught.value.public} {caught.value.hint}"


@pytest.mark.parametrize(
    ("inspector", "base_url", "runs", "elsewhere"),
    [
        ("builtin", "https://api.example.com/v1", "openai", False),
        ("transformers", "", "openai", False),
        ("openai", "", "openai", True),
        ("openai", "https://api.example.com/v1", "openai", True),
        ("openai", "http://10.0.0.7:8000/v1", "openai", True),
        ("openai", "http://127.0.0.1:8000/v1", "openai", False),
        ("openai", "http://[::1]:8000/v1", "openai", False),
        ("openai", "http://localhost:8000/v1", "openai", False),
        ("hybrid", "https://api.example.com/v1", "openai", True),
        ("hybrid", "https://api.example.com/v1", "transformers", False),
    ],
)
def test_what_sends_images_to_another_machine(inspector: str, base_url: str, runs: str, elsewhere: bool) -> None:  # noqa: FBT001
    settings = load_settings(_env_file=None, inspector=inspector, model_base_url=base_url, model_runs=runs)
    assert asks_elsewhere(settings) is elsewhere


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fast: [", "cannot be read"),
        ("fast: 3", "wrong: fast"),
        ("fast: {model: m, key: secret}", "fast.key"),
        ("fast: {base_url: http://x/v1}", "fast.model"),
        ("- fast", "wrong"),
    ],
)
def test_a_wrong_file_of_connections_names_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LibraryError, match=words):
        read_connections(file)


class TestCommands:
    @pytest.fixture
    def environment(self, settings: Settings) -> dict[str, str]:
        process = open_process(settings)
        process.store.store_setup(PROJECTS[2], default_setup(settings))
        process.close()
        return {"REVIEW_COPILOT_DATABASE_URL": settings.database_url, "REVIEW_COPILOT_MODELS": str(settings.models)}

    def test_a_change_is_stored_shown_and_kept_in_the_history(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        done = typed(
            "project",
            "set",
            "--project",
            "3",
            "--guideline",
            "pcb",
            "--blind-share",
            "0.1",
            cwd=tmp_path,
            **environment,
        )
        assert done.returncode == 0, done.stderr
        assert "setup 2" in done.stdout
        before, after = (load_guideline(name).revision for name in ("photo-quality", "pcb"))
        assert f"guideline: photo-quality, revision {before} -> pcb, revision {after}" in done.stdout
        assert "preannotate --project 3" in done.stderr
        shown = typed("project", "show", "--project", "3", cwd=tmp_path, **environment).stdout
        assert f"pcb, revision {after}" in shown
        assert "10%" in shown
        versions = typed("project", "history", "--project", "3", cwd=tmp_path, **environment).stdout
        assert versions.index("photo-quality") < versions.index("pcb")
        assert "pcb" in typed("project", "list", cwd=tmp_path, **environment).stdout

    def test_nothing_changed_is_said_and_stores_nothing(self, environment: dict[str, str], tmp_path: Path) -> None:
        done = typed("project", "set", "--project", "3", "--inspector", "builtin", cwd=tmp_path, **environment)
        assert "setup 1: nothing changed" in done.stdout

    def test_an_unknown_project_names_the_command_that_connects_it(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        done = typed("project", "show", "--project", "99", cwd=tmp_path, **environment)
        assert done.returncode == 2
        assert "connect --project 99" in done.stderr


def test_a_roll_out_is_drafted_by_the_set_up_that_it_was_made_with(process: Process) -> None:
    """Also after the project got another; where none gives its label, the current one drafts."""
    settings, project = process.settings, PROJECTS[0]
    assert isinstance(process.setup_of, SetupResolver)

    def change(**to: Any) -> str:
        assert isinstance(process.setup_of, SetupResolver)
        process.store.store_setup(project, changed_setup(default_setup(settings), settings, **to))
        process.setup_of.forget(project)
        return rollout_of(project, store=process.store, setup_of=process.setup_of)

    by_settings = rollout_of(project, store=process.store, setup_of=process.setup_of)
    first, second = change(guideline="pcb"), change(guideline="pcb", min_score=0.5)
    assert len({by_settings, first, second}) == 3
    for label, guideline, min_score in (
        (by_settings, "photo-quality", 0.0),
        (first, "pcb", 0.0),
        (second, "pcb", 0.5),
        ("pcb r9 000000", "pcb", 0.5),
        ("someone else's model", "pcb", 0.5),
    ):
        context = process.setup_of.of_rollout(project, label)
        assert (context.guideline.id, context.min_score) == (guideline, min_score), label
