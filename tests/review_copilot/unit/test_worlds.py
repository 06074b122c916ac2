"""The simulated worlds keep to the documented table and say what they planted."""

import csv
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from worlds import CAUSES, COLUMNS, WORLDS, write_export, write_truth

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "override-export.md"


def test_columns_are_the_documented_ones() -> None:
    assert tuple(re.findall(r"^\| `(\w+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)) == COLUMNS


@pytest.mark.parametrize("name", WORLDS)
def test_worlds_are_well_formed_and_the_same_for_a_seed(name: str) -> None:
    world = WORLDS[name](3)
    assert list(world.rows) == list(WORLDS[name](3).rows)
    assert [row["id"] for row in world.rows] == sorted(int(str(row["id"])) for row in world.rows)
    for row in world.rows:
        assert tuple(row) == COLUMNS
        assert isinstance(row["created_at"], datetime)
        assert row["created_at"].tzinfo is UTC
    assert world.truth
    for truth in world.truth:
        assert truth.cause in CAUSES
        assert set(truth.criteria) <= set(world.criteria)
        assert truth.reviewer in {"", *world.reviewers}
        assert truth.effect > truth.usual
        assert truth.bound < truth.units


@pytest.mark.parametrize("name", WORLDS)
def test_clean_worlds_plant_nothing(name: str) -> None:
    assert WORLDS[name](4, clean=True).truth == ()


def test_what_is_asked_for_is_planted() -> None:
    world = WORLDS["plain"](5, causes=["ambiguous", "uncovered"])
    assert sorted(truth.cause for truth in world.truth) == ["ambiguous", "uncovered"]
    with pytest.raises(ValueError, match="Unknown causes: gloom"):
        WORLDS["plain"](5, causes=["gloom"])


def test_every_format_holds_every_row(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    world = WORLDS["tiny"](6)
    for ending in ("csv", "jsonl", "parquet"):
        write_export(world, tmp_path / f"log.{ending}")
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == len(lines) == parquet.read_table(tmp_path / "log.parquet").num_rows == len(world.rows)
    assert tuple(rows[0]) == tuple(json.loads(lines[0])) == COLUMNS
    write_truth(world, tmp_path / "truth.json")
    told = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert len(told["truth"]) == len(world.truth)
    with pytest.raises(ValueError, match="No such format"):
        write_export(world, tmp_path / "log.xls")
