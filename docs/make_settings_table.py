"""Write the settings table of the README from `settings.py`; with `--check`, only say whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import SecretStr

from review_copilot.settings import PREFIX, Settings

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- settings: begin (made by `make docs` from backend/review_copilot/settings.py) -->"
END = "<!-- settings: end -->"


def table() -> str:
    """The table in Markdown, one row a setting in the order of the class."""
    lines = ["| Setting | Default | Meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "" if isinstance(default, SecretStr) or default in {"", None, ()} else f"`{default}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines)


def with_table(readme: str) -> str:
    """The README with the table between its two marks."""
    before, rest = readme.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    """Exit code 1 when `--check` finds a difference."""
    readme = README.read_text("utf-8")
    wanted = with_table(readme)
    if "--check" in sys.argv[1:]:
        if readme != wanted:
            sys.stderr.write("The settings table of README.md is out of date: run `make docs`.\n")
            return 1
        return 0
    README.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
