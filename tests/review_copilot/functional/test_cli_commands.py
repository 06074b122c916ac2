"""Which commands there are, and what one of them loads."""

from __future__ import annotations

import subprocess
import sys

from typer.main import get_command

from review_copilot.cli.typer_app import FILES, build_app


def test_every_command_is_found_by_the_file_that_holds_it() -> None:
    """A command that is missing from the table would only be found once all files are loaded."""
    commands = getattr(get_command(build_app()), "commands", {})
    assert set(commands) == set(FILES)
    for name in FILES:
        assert name in getattr(get_command(build_app(name)), "commands", {})


def test_inspecting_files_loads_none_of_the_large_libraries_of_other_commands() -> None:
    """Each takes as long to load as dozens of photographs take to inspect."""
    code = (
        "import sys; from review_copilot.cli.typer_app import build_app; build_app('inspect'); "
        "print(*sorted({'flask', 'openai', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert said.stdout.split() == []
