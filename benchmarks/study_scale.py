"""What a study of a long log costs: seconds and memory from SQLite, from kept counts, and by pandas.

    python benchmarks/study_scale.py [--rows 250000,500000,1000000] [--keep FILE]

Each figure is taken in a process of its own, the first time that the process does it. Memory is the peak beside what
the imported libraries and the open database hold. "pandas" reads the same current rows with `read_sql` and counts by
groupby what the flags need, which is less than a study counts. There is one draft for every three overrides.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import importable  # noqa: F401  # first: the folders that the next imports need

HERE = Path(__file__).parent
import numpy as np
import pandas as pd
import sqlalchemy as sa

from fake_clock import FakeClock
from review_copilot.flows.packed_log import Reading, reading_of_log
from review_copilot.store import open_store
from review_copilot.study.coefficients import krippendorff, unit_counts
from review_copilot.study.project_study import figures_of, study_of
from review_copilot.study.study_counts import count, total
from study_store import PROJECT, kept_bytes, touch_one, write_drafts, write_log
from study_world import Plan

Row = dict[str, object]
SIZES = (250_000, 500_000, 1_000_000)
RATINGS = 10**6
ROWS_A_DRAFT = 3
"""Of the simulated project: override rows for each task, which has one draft."""

DRAFTS = "drafts"
"""The road that adds up drafts instead of overrides: tasks without one by reason, usage and cost."""

PLAN = Plan(seed=0, tasks=4000, criteria=tuple(f"PQ-{i:02d}" for i in range(1, 11)), criterion_width=0.27)


def first(reading: Reading) -> object:
    """Pack all rows and count them: what the first report after an import does."""
    return figures_of(reading.counts(), reading.tables)


def from_counts(reading: Reading) -> object:
    """The report's numbers from kept counts."""
    return figures_of(reading.counts(), reading.tables)


def from_rows(reading: Reading) -> object:
    """The report's numbers from the kept rows, all counted anew, as for any period or person."""
    return figures_of(total(map(count, reading.tables())), reading.tables)


def whole(reading: Reading) -> object:
    """Numbers from kept counts, with the flags' tasks and cases and the novel patterns."""
    return study_of(reading.counts(), reading.tables)


ROADS: dict[str, Callable[[Reading], object]] = {
    "first": first,
    "from_counts": from_counts,
    "from_rows": from_rows,
    "whole_report": whole,
    "one_task_written_to": from_counts,
}
"""In the order in which they are taken: the first finds nothing packed, the last one chunk out of date."""

QUERY = """
SELECT a.task_id, a.annotation_id, r.author, r.created_at, r.lead_time_s, o.kind, o.suggestion_id, o.criterion_from,
       o.criterion_to, o.edits, o.reasons, o.score
FROM annotations a JOIN revisions r ON r.annotation_ref = a.id JOIN revision_states s ON s.revision_ref = r.id
     JOIN overrides o ON o.revision_ref = r.id
WHERE s.newest AND NOT s.deleted AND o.subject = 'region'
"""


def by_pandas(file: Path) -> object:
    """The counts of the flags."""
    with sa.create_engine(f"sqlite:///{file}").connect() as connection:
        frame = pd.read_sql(sa.text(QUERY), connection)
    decided = frame[frame["kind"].isin(["untouched", "confirmed", "edited", "rejected"])].copy()
    decided["overrode"] = ~decided["kind"].isin(["untouched", "confirmed"])
    decided["day"] = decided["created_at"].str.slice(0, 10)
    shared = decided.groupby(["task_id", "suggestion_id"], sort=False).agg(
        criterion=("criterion_from", "first"), seen=("overrode", "size"), overrode=("overrode", "sum")
    )
    counted = decided.groupby(["criterion_from", "author", "day", "kind", "criterion_to", "reasons"], sort=False).size()
    submitted = frame.groupby(["annotation_id"], sort=False).agg(
        author=("author", "first"), lead=("lead_time_s", "first")
    )
    return counted, shared.groupby(list(shared.columns)).size(), submitted.groupby("author")["lead"].median()


def alpha() -> Row:
    """Krippendorff's alpha of a million ratings, beside pandas and one product of its counts by unit."""
    rng = np.random.default_rng(0)
    unit, value = rng.integers(0, 400_000, RATINGS), rng.integers(0, 4, RATINGS)
    ours, mine = _timed(lambda: krippendorff(unit_counts(unit, value, levels=4)))

    def with_pandas() -> float:
        counts = pd.crosstab(unit, value).to_numpy().astype(float)
        ratings = counts.sum(axis=1)
        counts, ratings = counts[ratings >= 2], ratings[ratings >= 2]
        weighed = counts / (ratings - 1)[:, None]
        together = weighed.T @ counts - np.diag(weighed.sum(axis=0))
        margin = together.sum(axis=1)
        n = margin.sum()
        return float(1 - (n - 1) * (n - np.trace(together)) / (n * n - (margin**2).sum()))

    theirs, same = _timed(with_pandas)
    assert abs(float(str(mine)) - float(str(same))) < 1e-9, (mine, same)
    return {"seconds": round(ours, 3), "pandas_seconds": round(theirs, 3), "beside_pandas": round(ours / theirs, 3)}


def scale(sizes: Sequence[int] = SIZES, keep: Path | None = None) -> Row:
    """Seconds and MiB for logs of several sizes, and as ratios beside pandas."""
    figures: Row = {"alpha_of_a_million_ratings": alpha()}
    print(f"  alpha {figures['alpha_of_a_million_ratings']}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            file = (keep or Path(folder)) / f"{size}.db"
            file.unlink(missing_ok=True)
            of_size: dict[str, dict[str, float]] = {"written": {"rows": write_log(file, PLAN, rows=size)}}
            of_size["written"]["drafts"] = write_drafts(file, least=size // ROWS_A_DRAFT)
            for road in (*ROADS, DRAFTS, "pandas"):
                if road == "one_task_written_to":
                    touch_one(file)
                done = subprocess.run([sys.executable, __file__, "--road", road, str(file)], check=True, stdout=-1)
                of_size[road] = json.loads(done.stdout)
            for road in (*ROADS, DRAFTS):
                for what in ("seconds", "mib"):
                    of_size[road][f"{what}_beside_pandas"] = round(of_size[road][what] / of_size["pandas"][what], 3)
            of_size["written"]["kept_bytes_an_override"] = round(kept_bytes(file) / of_size["written"]["rows"], 1)
            figures[str(size)] = of_size
            print(f"  {size:8} {json.dumps(of_size)}", flush=True)
            if keep is None:
                file.unlink()
    return figures


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    made = work()
    return time.perf_counter() - began, made


def _measured(road: str, file: Path) -> Row:
    """One road in this process."""
    if road == "pandas":
        work: Callable[[], object] = lambda: by_pandas(file)  # noqa: E731  # the other branch makes one too
    else:
        store = open_store(f"sqlite:///{file}", clock=FakeClock())
        reading = reading_of_log(store, PROJECT)
        store.projects()
        work = lambda: store.draft_totals(PROJECT) if road == DRAFTS else ROADS[road](reading)  # noqa: E731
    before = _memory_mib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is the imports'
    cpu = time.process_time()
    seconds, _ = _timed(work)
    used = time.process_time() - cpu
    return {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(used, 3),
        "mib": round(_memory_mib("VmHWM") - before, 1),
    }


def _memory_mib(field: str) -> float:
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default=",".join(map(str, SIZES)))
    parser.add_argument("--keep", type=Path, help="folder to leave the databases in")
    parser.add_argument("--road", nargs=2, metavar=("ROAD", "FILE"), help="one figure, in this process")
    chosen = parser.parse_args()
    if chosen.road:
        print(json.dumps(_measured(chosen.road[0], Path(chosen.road[1]))))
    else:
        scale([int(rows) for rows in chosen.rows.split(",")], chosen.keep)


if __name__ == "__main__":
    main()
