"""Database and replies are in one place, whatever the current folder is, and what earlier releases made is found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from command_line import typed
from fake_clock import FakeClock
from review_copilot.settings import load_settings, user_data_folder
from review_copilot.store import open_store


def list_projects(folder: Path, **environment: str) -> tuple[int, str]:
    """A command that opens the log, typed in a folder."""
    done = typed("project", "list", cwd=folder, **environment)
    return done.returncode, done.stdout + done.stderr


def old_database(folder: Path) -> Path:
    """What an earlier release left in the folder where it was started."""
    file = folder / "review-copilot.db"
    open_store(f"sqlite:///{file}", clock=FakeClock()).close()
    return file


def test_the_default_place_is_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = load_settings(_env_file=None)
    if sys.platform == "linux":
        assert settings.home == tmp_path / "review-copilot"
    assert settings.home == user_data_folder()
    assert settings.database_url == f"sqlite:///{settings.home}/review-copilot.db"
    assert settings.model_cache == settings.home / "replies"


def test_a_home_of_ones_own_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "some" / "home", tmp_path / "elsewhere"
    elsewhere.mkdir()
    code, said = list_projects(elsewhere, REVIEW_COPILOT_HOME=str(home))
    assert (code, (home / "review-copilot.db").is_file()) == (0, True), said
    assert home.stat().st_mode & 0o777 == 0o700
    assert not list(elsewhere.iterdir())


def test_settings_of_ones_own_take_precedence(tmp_path: Path) -> None:
    settings = load_settings(_env_file=None, database_url="postgresql://there/log", model_cache=None, home=tmp_path)
    assert (settings.database_url, settings.model_cache, settings.database_is_at_home) == (
        "postgresql://there/log", None, False,
    )  # fmt: skip


def test_an_old_database_is_named_and_its_hint_works(tmp_path: Path) -> None:
    """An empty log beside the old one would look like a log that was lost."""
    home, here = tmp_path / "home", tmp_path / "here"
    here.mkdir()
    old = old_database(here)
    code, said = list_projects(here, REVIEW_COPILOT_HOME=str(home))
    assert code == 2
    assert f"The database of an earlier release is in the current folder: {old}" in said
    assert not home.exists()
    url = said.split("REVIEW_COPILOT_DATABASE_URL=")[1].split()[0]
    assert list_projects(here, REVIEW_COPILOT_HOME=str(home), REVIEW_COPILOT_DATABASE_URL=url)[0] == 0
    home.mkdir()
    old.rename(home / old.name)
    assert list_projects(here, REVIEW_COPILOT_HOME=str(home))[0] == 0


def test_with_two_databases_the_one_in_use_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    for folder in (home, here):
        folder.mkdir()
        old_database(folder)
    (here / "review-copilot-replies").mkdir()
    code, _ = list_projects(here, REVIEW_COPILOT_HOME=str(home))
    assert code == 0
    assert f"{here}/review-copilot.db is not used: the database is {home}/review-copilot.db" in caplog.text
    assert f"The model replies in {here}/review-copilot-replies are not used" in caplog.text


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, said = list_projects(tmp_path, REVIEW_COPILOT_HOME=str(tmp_path / "file" / "home"))
    assert code == 2
    assert "cannot be created" in said
    assert "REVIEW_COPILOT_HOME" in said
