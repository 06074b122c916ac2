"""Write `override-export.md` from the schema in the code; with `--check`, only check that it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from review_copilot.reports.override_columns import schema_page

PAGE = Path(__file__).with_name("override-export.md")


def main() -> int:
    """Exit code 1 if `--check` finds a difference."""
    wanted = schema_page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(wanted, "utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text("utf-8") == wanted:
        return 0
    sys.stderr.write("docs/override-export.md is out of date: run `python docs/make_export_schema.py`.\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
