"""Write a generated table into the README. Knows no table's content."""

from __future__ import annotations

import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def refresh(name: str, *, source: str, table: str) -> int:
    """Put a table between its two markers; with `--check` on the command line, only check that it is up to date.

    Args:
        name: Its name in the markers.
        source: The file that it is generated from.
        table: Markdown.

    Returns:
        Exit code: 1 if `--check` finds a difference.
    """
    begin = f"<!-- {name}: begin (made by `make docs` from {source}) -->"
    end = f"<!-- {name}: end -->"
    readme = README.read_text("utf-8")
    before, rest = readme.split(begin, 1)
    _, after = rest.split(end, 1)
    wanted = f"{before}{begin}\n{table}\n{end}{after}"
    if "--check" not in sys.argv[1:]:
        README.write_text(wanted, "utf-8")
    elif readme != wanted:
        sys.stderr.write(f"The {name} table of README.md is out of date: run `make docs`.\n")
        return 1
    return 0
