"""Projects of an earlier release get the setup that they were drafted with, and are never drafted with another one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from builders import a_review, a_suggestion, task_key
from command_line import typed
from review_copilot.bootstrap.adopt_setup import refuse_other_setup, refuse_unknown_setup
from review_copilot.bootstrap.process import Process, open_process
from review_copilot.bootstrap.setups import default_setup, setup_in_force
from review_copilot.domain.review import ProjectKey, Provenance
from review_copilot.errors import SettingsError
from review_copilot.flows.review_context import ReviewContext, rollout_of
from review_copilot.library import source_of_guideline
from review_copilot.settings import Settings, load_settings
from review_copilot.store.database import migrate

OLD = ProjectKey("http://localhost:8080", 7, "1732360000")
BEFORE_SETUPS = "0010"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/log.db", guideline="pcb", min_score=0.3)


def draft(process: Process, context: ReviewContext, project: ProjectKey = OLD) -> str:
    """One draft, as it is stored for a project."""
    label = process.store.rollout(project, guideline_id=context.guideline.id, model_version=context.model_version)
    made = Provenance(
        context.inspector.name, context.model_version, label, context.guideline.id, context.guideline.revision
    )
    review = a_review(f"of {label}", a_suggestion(), key=task_key(1, project=project))
    process.store.remember([replace(review, provenance=made)])
    return label


@pytest.fixture
def drafted(settings: Settings) -> str:
    """A database of an earlier release with one project, drafted by these settings; its roll-out."""
    process = open_process(settings)
    label = draft(process, process.setup_of())
    migrate(process.store.database, to=BEFORE_SETUPS)
    process.close()
    return label


@pytest.fixture
def upgraded(settings: Settings, drafted: str) -> Iterator[Process]:
    """That database, opened by this release, whose settings name another guideline by now."""
    assert drafted
    process = open_process(settings.model_copy(update={"guideline": "photo-quality"}))
    yield process
    process.close()


def test_an_old_project_gets_the_setup_that_it_was_drafted_with(upgraded: Process, drafted: str) -> None:
    """Its roll-out stays the same, so nothing is drafted again, whatever the settings say from now on."""
    assert upgraded.store.setup(OLD) is None
    assert rollout_of(OLD, store=upgraded.store, setup_of=upgraded.setup_of) == drafted
    version = upgraded.store.setup(OLD)
    assert version is not None
    assert (version.number, version.setup.guideline_id, version.setup.inspector) == (1, "pcb", "builtin")
    assert version.setup.min_score == 0.3
    assert list(upgraded.store.rollouts(OLD)) == [drafted]
    assert upgraded.store.drafted_before_setups(OLD) is None


def test_commands_that_show_a_setup_store_it_too(upgraded: Process, settings: Settings, tmp_path: Path) -> None:
    done = typed("project", "show", "--project", "7", cwd=tmp_path, REVIEW_COPILOT_DATABASE_URL=settings.database_url)
    assert "pcb" in done.stdout, done.stderr
    assert upgraded.store.setup(OLD) is not None


def test_a_project_of_this_release_goes_on_being_served_by_the_settings(settings: Settings) -> None:
    """Only an upgrade gives a project a setup that nobody asked for."""
    process = open_process(settings)
    draft(process, process.setup_of())
    process.close()
    later = open_process(settings.model_copy(update={"guideline": "photo-quality"}))
    assert later.setup_of(OLD).guideline.id == "photo-quality"
    assert later.store.setup(OLD) is None
    later.close()


def test_a_guideline_that_is_gone_stops_what_would_draft_with_another_one(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "listing.yaml"
    file.write_text(source_of_guideline("pcb").replace("PCB-", "LI-"), encoding="utf-8")
    process = open_process(settings.model_copy(update={"guideline": str(file)}))
    was = process.setup_of().guideline
    draft(process, process.setup_of())
    migrate(process.store.database, to=BEFORE_SETUPS)
    process.close()
    upgraded = open_process(settings)
    made, now = upgraded.store.drafted_before_setups(OLD), default_setup(settings)
    assert setup_in_force(OLD, setups=upgraded.store, settings=settings) == now
    assert upgraded.store.setup(OLD) is None
    with pytest.raises(SettingsError) as stopped:
        refuse_unknown_setup(made, project=OLD, setup=now)
    said = str(stopped.value)
    assert f"guideline listing (revision {was.revision}), not pcb (revision {now.guideline_revision})" in said
    assert "connect --project 7 --guideline pcb" in said
    upgraded.store.store_setup(OLD, now)
    refuse_unknown_setup(upgraded.store.drafted_before_setups(OLD), project=OLD, setup=now)
    upgraded.close()


def test_another_inspector_is_named_with_the_command_that_changes_it(settings: Settings) -> None:
    setup = default_setup(settings)
    refuse_other_setup(setup, wanted=setup, project_id=7)
    with pytest.raises(SettingsError, match="inspector builtin, not hybrid") as stopped:
        refuse_other_setup(setup, wanted=replace(setup, inspector="hybrid"), project_id=7)
    assert "connect --project 7 --inspector hybrid" in str(stopped.value)
