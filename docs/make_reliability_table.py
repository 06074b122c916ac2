"""Write the reliability table of the README from the figures of the fault tests; with `--check`, only compare.

`make test-faults FIGURES=docs/reliability.json` writes those figures.
"""

from __future__ import annotations

import json
from pathlib import Path

from readme_tables import refresh

FIGURES = Path(__file__).with_name("reliability.json")
COLUMNS = ("actions", "webhooks", "not taken", "rows", "lost", "doubled")


def table() -> str:
    """The table in Markdown, with one row per fault and a total."""
    faults: dict[str, dict[str, int]] = json.loads(FIGURES.read_text("utf-8"))
    sums = {column: sum(figures[column] for figures in faults.values()) for column in COLUMNS}
    lines = [f"| Fault | {' | '.join(COLUMNS)} |", f"| --- |{' ---: |' * len(COLUMNS)}"]
    for fault, figures in (*faults.items(), ("all", sums)):
        lines.append(f"| {fault} | {' | '.join(str(figures[column]) for column in COLUMNS)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(refresh("reliability", source="docs/reliability.json", table=table()))
