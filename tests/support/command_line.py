"""Type a command as a person does: through the entry point, with settings from the environment."""

from __future__ import annotations

import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from typer import Typer
from typer.main import get_command

from review_copilot.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def typed(*words: str, cwd: Path, answer: str = "", **environment: str) -> Done:
    """Type `review-copilot` and the words in a folder, and an answer to what it asks."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["review-copilot", *words])
        patch.setattr(sys, "stdin", StringIO(answer))
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            main()
            code: object = 0
        except SystemExit as end:
            code = end.code
    return Done(code if isinstance(code, int) else int(code is not None), out.getvalue(), err.getvalue())


def command_help(app: Typer) -> dict[str, str]:
    """Name of each command to the first line of its help."""
    commands = getattr(get_command(app), "commands", {})
    return {name: " ".join((command.help or "").strip().split("\n\n")[0].split()) for name, command in commands.items()}
