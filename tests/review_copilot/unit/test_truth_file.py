"""Files of images with known defects, good and bad."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from builders import a_comparison, a_criterion, a_guideline, a_review, a_suggestion, an_annotation, as_submitted
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Severity, Verdict
from review_copilot.errors import LibraryError
from review_copilot.evaluation.truth import TruthRegion
from review_copilot.flows.submissions import Submission
from review_copilot.library.truth_file import read_truth
from review_copilot.reports.coco import write_coco
from review_copilot.reports.inspection_text import to_json_line
from review_copilot.store.kept_drafts import FolderDrafts

GUIDELINE = a_guideline(a_criterion("PQ-01", label="Out of focus"), a_criterion("PQ-14", label="Dust"))
LINE: dict[str, Any] = {"image": "a.png", "width": 200, "height": 100, "regions": []}
DUST = {"criterion": "PQ-14", "box": {"x": 20, "y": 10, "width": 40, "height": 30}}
COCO: dict[str, Any] = {
    "images": [{"id": 1, "file_name": "a.png", "width": 200, "height": 100}],
    "categories": [{"id": 7, "name": "dust"}],
    "annotations": [{"image_id": 1, "category_id": 7, "bbox": [20, 10, 40, 30]}],
}


def lines(folder: Path, *entries: object) -> Path:
    file = folder / "truth.jsonl"
    file.write_text("\n".join(e if isinstance(e, str) else json.dumps(e) for e in entries))
    return file


def coco(folder: Path, **changes: object) -> Path:
    file = folder / "annotations.json"
    file.write_text(json.dumps(COCO | changes))
    return file


def test_lines_name_criteria_by_id_or_label(tmp_path: Path) -> None:
    regions = [
        DUST | {"severity": "minor", "rationale": "A speck."},
        {"criterion": "out of FOCUS"},
        {"criterion": "uncovered"},
    ]
    lines(tmp_path, LINE | {"regions": regions, "verdict": "discuss", "blind": True}, "", LINE | {"image": "b.png"})
    first, second = read_truth(tmp_path, guideline=GUIDELINE).truths
    assert first.regions == (
        TruthRegion("PQ-14", Box(0.1, 0.1, 0.2, 0.3), Severity.MINOR, "A speck."),
        TruthRegion("PQ-01", Box.whole()),
        TruthRegion(UNCOVERED, Box.whole()),
    )
    assert (first.verdict, first.blind, second.regions, second.verdict) == (Verdict.DISCUSS, True, (), None)
    assert first.task.image == str(tmp_path / "a.png")


def test_coco_categories_are_criteria_by_label_or_map(tmp_path: Path) -> None:
    crowd = {"image_id": 1, "category_id": 7, "bbox": [0, 0, 9, 9], "iscrowd": 1}
    dent = {"image_id": 1, "category_id": 8, "bbox": [0, 0, 9, 9]}
    boxes = [*COCO["annotations"], crowd, dent]
    coco(tmp_path, annotations=boxes, categories=[*COCO["categories"], {"id": 8, "name": "Dent"}])
    found = read_truth(tmp_path, guideline=GUIDELINE, named={"dent": "PQ-01"})
    assert [r.criterion_id for r in found.truths[0].regions] == ["PQ-14", "PQ-01"]
    assert found.left_out == {"the box is a crowd": 1}
    ignored = read_truth(tmp_path, guideline=GUIDELINE, named={"DENT": ""})
    assert ignored.left_out == {"the box is a crowd": 1, "Dent is not evaluated": 1}


def test_what_the_product_writes_can_be_read_again(tmp_path: Path) -> None:
    """`inspect --json` and `overrides export --format coco` are the two formats."""
    review = a_review("r1", a_suggestion(rationale="Soft."))
    read = read_truth(lines(tmp_path, to_json_line("a.png", review)), guideline=GUIDELINE).truths[0]
    assert [(r.criterion_id, r.severity, r.rationale) for r in read.regions] == [("PQ-01", Severity.MAJOR, "Soft.")]
    assert read.regions[0].box.iou(review.suggestions[0].box) > 0.999
    out = io.StringIO()
    comparison = a_comparison(an_annotation(*map(as_submitted, review.suggestions)))
    write_coco([Submission(comparison, review)], out, guideline=GUIDELINE)
    (tmp_path / "coco").mkdir()
    (tmp_path / "coco" / "boxes.json").write_text(out.getvalue())
    again = read_truth(tmp_path / "coco", guideline=GUIDELINE).truths[0]
    assert [(r.criterion_id, r.severity, r.rationale) for r in again.regions] == [("PQ-01", Severity.MAJOR, "Soft.")]


def test_an_image_keeps_its_id_when_others_are_added(tmp_path: Path) -> None:
    alone = read_truth(lines(tmp_path, LINE), guideline=GUIDELINE).truths[0]
    second = read_truth(lines(tmp_path, LINE | {"image": "0.png"}, LINE), guideline=GUIDELINE).truths[1]
    assert alone.task.key == second.task.key


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{", "truth.jsonl, line 1 is not JSON"),
        ("[1]", "truth.jsonl, line 1"),
        ({k: v for k, v in LINE.items() if k != "width"}, "line 1: width"),
        (LINE | {"height": 0}, "line 1: height"),
        ({k: v for k, v in LINE.items() if k != "regions"}, "line 1: regions"),
        (LINE | {"verdict": "maybe"}, "line 1: verdict"),
        (LINE | {"regions": [DUST | {"box": {"x": 1, "y": 1, "width": 0, "height": 5}}]}, "regions.0.box.width"),
        (
            LINE | {"regions": [DUST | {"box": {"x": 900, "y": 1, "width": 5, "height": 5}}]},
            "is outside the image of 200 x 100 px",
        ),
        (LINE | {"regions": [DUST | {"severity": "awful"}]}, "regions.0.severity"),
        (LINE | {"regions": [{"criterion": "Dent"}, {"criterion": "Bump"}]}, "does not have: Dent, Bump"),
    ],
)
def test_a_bad_line_is_named(entry: object, says: str, tmp_path: Path) -> None:
    with pytest.raises(LibraryError) as raised:
        read_truth(lines(tmp_path, entry), guideline=GUIDELINE)
    assert says in str(raised.value)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"images": [{"id": 1, "file_name": "a.png"}]}, "images.0.width"),
        ({"categories": [{"id": 7, "name": "dent"}]}, "does not have: dent"),
        ({"categories": []}, "annotations[0]: image 1 or category 7 is not listed"),
        ({"annotations": [{"image_id": 1, "category_id": 7, "bbox": [1, 2, 3]}]}, "annotations.0.bbox"),
        ({"images": [COCO["images"][0], COCO["images"][0] | {"id": 2}]}, "names the image a.png more than once"),
        ({"images": [], "annotations": []}, "contains no image"),
    ],
)
def test_a_bad_data_set_is_named(changes: dict[str, object], says: str, tmp_path: Path) -> None:
    with pytest.raises(LibraryError) as raised:
        read_truth(coco(tmp_path, **changes), guideline=GUIDELINE)
    assert says in str(raised.value)


def test_a_folder_has_one_truth_file(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="it contains none"):
        read_truth(tmp_path, guideline=GUIDELINE)
    lines(tmp_path, LINE)
    coco(tmp_path)
    with pytest.raises(LibraryError, match=r"annotations\.json, truth\.jsonl"):
        read_truth(tmp_path, guideline=GUIDELINE)


def test_an_unknown_criterion_of_the_map_is_named(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match='no criterion "PQ-99"'):
        read_truth(coco(tmp_path), guideline=GUIDELINE, named={"dust": "PQ-99"})


def test_kept_drafts_survive_an_unfinished_line(tmp_path: Path) -> None:
    drafts = FolderDrafts(tmp_path / "kept", "0a1b")
    first, second = a_review("r1", a_suggestion()), a_review("r2")
    drafts.put("one", first)
    file = tmp_path / "kept" / "0a1b.jsonl"
    with file.open("a") as cut:
        cut.write('{"key": "two", "review": {"id": "r')
    FolderDrafts(tmp_path / "kept", "0a1b").put("three", second)
    again = FolderDrafts(tmp_path / "kept", "0a1b")
    assert (again.get("one"), again.get("two"), again.get("three")) == (first, None, second)
    assert file.stat().st_mode & 0o077 == 0
