"""Which commands there are, and what one of them loads."""

from __future__ import annotations

import subprocess
import sys

from command_line import command_help
from review_copilot import __version__
from review_copilot.cli.typer_app import COMMANDS, build_app, build_whole_app


def test_every_command_is_found_by_the_file_that_holds_it() -> None:
    """A command that is missing from the table would only be found once all files are loaded."""
    whole = command_help(build_whole_app())
    assert set(whole) == set(COMMANDS)
    for name in COMMANDS:
        assert command_help(build_app(name))[name] == whole[name]


def test_the_list_of_commands_shows_the_help_that_each_command_shows() -> None:
    """The list loads no command, so its texts are kept beside the names."""
    assert {name: entry.help for name, entry in COMMANDS.items()} == command_help(build_whole_app())
    assert command_help(build_app()) == command_help(build_whole_app())


def test_the_version_is_printed() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "review_copilot.cli", "--version"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.stdout == f"review-copilot {__version__}\n"


def test_a_misspelled_command_names_the_one_that_was_meant() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "review_copilot.cli", "preanotate"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.returncode == 2
    assert "preannotate" in said.stderr


def test_help_loads_no_command() -> None:
    """Importing every command takes seconds; the list takes a tenth of one."""
    code = (
        "import sys; from review_copilot.cli.typer_app import build_app; build_app(); "
        "print(*sorted({'numpy', 'httpx', 'sqlalchemy', 'pydantic', 'cv2'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert said.stdout.split() == []


def test_inspecting_files_loads_none_of_the_large_libraries_of_other_commands() -> None:
    """Each takes as long to load as dozens of photographs take to inspect."""
    code = (
        "import sys; from review_copilot.cli.typer_app import build_app; build_app('inspect'); "
        "print(*sorted({'flask', 'openai', 'pandas', 'sklearn', 'sqlalchemy', 'alembic', 'scipy'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert said.stdout.split() == []
