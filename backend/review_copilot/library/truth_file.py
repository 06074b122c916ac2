"""Read a folder of images whose defects are known: a COCO data set, or JSON Lines as `inspect --json` writes them.

COCO: https://cocodataset.org/#format-data, object detection. A category is a criterion, by its key `criterion` or its
name; `attributes` of a box can contain `severity` and `rationale`, as in `overrides export --format coco`.

JSON Lines: one image per line, {"image": "a.jpg", "width": 640, "height": 480, "verdict": "fail", "regions":
[{"criterion": "PQ-03", "box": {"x": 1, "y": 2, "width": 30, "height": 40}, "severity": "major", "rationale": "..."}]}.
Boxes are in pixels of the upright image; without a box, a region is the whole image. `verdict`, `severity`,
`rationale`, `reference`, `prompt`, and `blind` are optional. `regions` can be called `suggestions`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.review import ProjectKey, ReviewTask, TaskKey
from review_copilot.errors import LibraryError
from review_copilot.evaluation.truth import Truth, TruthRegion

_Pixels = Annotated[float, Field(allow_inf_nan=False)]
_Side = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Size = Annotated[int, Field(gt=0)]
_MOST_NAMED = 8
"""Maximum number of unknown categories that an error lists."""


@dataclass
class TruthFile:
    """The content of a truth file.

    Attributes:
        truths: The images, in the order of the file.
        left_out: Reason to number of boxes or images that were left out.
    """

    truths: tuple[Truth, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)


class _PixelBox(BaseModel):
    x: _Pixels
    y: _Pixels
    width: _Side
    height: _Side


class _LineRegion(BaseModel):
    criterion: str
    box: _PixelBox | None = None
    severity: Severity | None = None
    rationale: str = ""


class _Line(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    image: Annotated[str, Field(min_length=1)]
    width: _Size
    height: _Size
    regions: Annotated[tuple[_LineRegion, ...], Field(validation_alias=AliasChoices("regions", "suggestions"))]
    verdict: Verdict | None = None
    reference: str = ""
    prompt: str = ""
    blind: bool = False


class _CocoImage(BaseModel):
    id: int | str
    file_name: Annotated[str, Field(min_length=1)]
    width: _Size
    height: _Size


class _CocoCategory(BaseModel):
    id: int | str
    name: str
    criterion: str = ""


class _CocoBox(BaseModel):
    image_id: int | str
    category_id: int | str
    bbox: tuple[_Pixels, _Pixels, _Side, _Side]
    iscrowd: int = 0
    attributes: Mapping[str, Any] = {}


class _Coco(BaseModel):
    images: tuple[_CocoImage, ...]
    categories: tuple[_CocoCategory, ...]
    annotations: tuple[_CocoBox, ...]


def read_truth(
    path: Path, *, guideline: Guideline, named: Mapping[str, str] | None = None, images: Path | None = None
) -> TruthFile:
    """Read a truth file.

    Args:
        path: A COCO file (.json), a JSON Lines file (.jsonl), or a folder that contains one of them.
        guideline: Names the criteria, by id or label.
        named: Other names of criteria to their id; an empty id leaves their boxes out. Case does not matter.
        images: The folder of the images; None for that of the file.

    Raises:
        LibraryError: It cannot be read, or it names something that the guideline does not have.
    """
    file = _file_of(path)
    names = _Names(guideline, {name.casefold(): criterion for name, criterion in (named or {}).items()})
    folder = images or file.parent
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(f"{file} cannot be read.", hint="Check the path, and that it is UTF-8 text.") from error
    found = TruthFile()
    lines = _coco(text, file, names, found.left_out) if file.suffix == ".json" else _lines(text, file, names, found)
    found.truths = tuple(_truth(line, folder) for line in lines)
    names.check(file)
    twice = [name for name, count in Counter(truth.name for truth in found.truths).items() if count > 1]
    if twice:
        raise LibraryError(f"{file.name} names the image {twice[0]} more than once.", hint="Keep one entry per image.")
    if not found.truths:
        raise LibraryError(f"{file.name} contains no image.", hint="An image without defects has an empty list.")
    return found


@dataclass
class _Entry:
    """One image of a file of either format; boxes are in fractions."""

    name: str
    regions: list[TruthRegion]
    verdict: Verdict | None = None
    reference: str = ""
    prompt: str = ""
    blind: bool = False


class _Names:
    """Names of criteria, as files have them."""

    def __init__(self, guideline: Guideline, named: Mapping[str, str]) -> None:
        self._guideline = guideline
        self._named = named
        self._unknown: dict[str, None] = {}
        for criterion in named.values():
            if criterion and criterion != UNCOVERED and guideline.criterion(criterion) is None:
                raise LibraryError(
                    f'The guideline {guideline.id} has no criterion "{criterion}".',
                    hint=f"Its criteria are {', '.join(c.id for c in guideline.criteria)}, and {UNCOVERED}.",
                )

    def find(self, *names: str) -> str:
        """The criterion id of the first known name; empty to leave it out, or if none is known."""
        for name in filter(None, names):
            if (criterion := self._named.get(name.casefold())) is not None:
                return criterion
            if name == UNCOVERED or (criterion := self._guideline.id_of(name)) is not None:
                return UNCOVERED if name == UNCOVERED else str(criterion)
        self._unknown[names[-1]] = None
        return ""

    def check(self, file: Path) -> None:
        """Raise an error that lists all unknown names."""
        if not self._unknown:
            return
        unknown = list(self._unknown)
        more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
        raise LibraryError(
            f"{file.name} contains criteria that the guideline {self._guideline.id} does not have: "
            f"{', '.join(unknown[:_MOST_NAMED])}{more}.",
            hint='Name the criterion with --map "NAME=ID", or leave its boxes out with --map "NAME=".',
        )


def _file_of(path: Path) -> Path:
    if not path.exists():
        raise LibraryError(f"{path} does not exist.", hint="Check the path.")
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.suffix in {".json", ".jsonl"} and p.is_file())
        if len(found) != 1:
            names = ", ".join(p.name for p in found) or "none"
            raise LibraryError(
                f"{path} must contain one .json or .jsonl file with the known defects; it contains {names}.",
                hint="Name the file itself, and the folder of the images with --images.",
            )
        return found[0]
    if path.suffix not in {".json", ".jsonl"}:
        raise LibraryError(f"{path.name} is neither .json (COCO) nor .jsonl.", hint="Rename or convert the file.")
    return path


def _lines(text: str, file: Path, names: _Names, found: TruthFile) -> Iterator[_Entry]:
    for number, raw in enumerate(text.splitlines(), start=1):
        if not raw.strip():
            continue
        where = f"{file.name}, line {number}"
        content = _json(raw, where)
        if isinstance(content, dict) and "error" in content and "regions" not in content:
            found.left_out["the image has an error instead of regions"] += 1
            continue
        try:
            line = _Line.model_validate(content)
        except ValidationError as error:
            raise _wrong(where, error) from error
        yield _Entry(
            name=line.image,
            regions=list(_line_regions(line, names, where, found.left_out)),
            verdict=line.verdict,
            reference=line.reference,
            prompt=line.prompt,
            blind=line.blind,
        )


def _line_regions(line: _Line, names: _Names, where: str, left_out: Counter[str]) -> Iterator[TruthRegion]:
    for said in line.regions:
        criterion = names.find(said.criterion)
        if not criterion:
            left_out[f"{said.criterion} is not evaluated"] += 1
            continue
        box = Box.whole()
        if said.box is not None:
            values = (said.box.x, said.box.y, said.box.width, said.box.height)
            box = _inside(values, line.width, line.height, where)
        yield TruthRegion(criterion, box, said.severity, said.rationale)


def _coco(text: str, file: Path, names: _Names, left_out: Counter[str]) -> Sequence[_Entry]:
    try:
        coco = _Coco.model_validate(_json(text, file.name))
    except ValidationError as error:
        raise _wrong(file.name, error) from error
    entries = {image.id: _Entry(image.file_name, []) for image in coco.images}
    sizes = {image.id: (image.width, image.height) for image in coco.images}
    categories = {category.id: category for category in coco.categories}
    for number, box in enumerate(coco.annotations):
        where = f"{file.name}, annotations[{number}]"
        if box.image_id not in entries or box.category_id not in categories:
            raise LibraryError(
                f"{where}: image {box.image_id} or category {box.category_id} is not listed.",
                hint="Each annotation needs an entry in images and in categories.",
            )
        category = categories[box.category_id]
        criterion = "" if box.iscrowd else names.find(category.criterion, category.name)
        if not criterion:
            left_out["the box is a crowd" if box.iscrowd else f"{category.name} is not evaluated"] += 1
            continue
        place = _inside(box.bbox, *sizes[box.image_id], where)
        severity, rationale = box.attributes.get("severity"), box.attributes.get("rationale")
        known = Severity(severity) if severity in list(Severity) else None
        region = TruthRegion(criterion, place, known, rationale if isinstance(rationale, str) else "")
        entries[box.image_id].regions.append(region)
    return list(entries.values())


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LibraryError(f"{where} is not JSON: {error}.", hint="Fix the file.") from error


def _inside(pixels: tuple[float, float, float, float], width_px: int, height_px: int, where: str) -> Box:
    box = Box.from_pixels(*pixels, image_width_px=width_px, image_height_px=height_px).clipped()
    if box is None:
        raise LibraryError(
            f"{where}: the box {list(pixels)} is outside the image of {width_px} x {height_px} px.",
            hint="Boxes are left, top, width, and height in pixels of the upright image.",
        )
    return box


def _wrong(where: str, error: ValidationError) -> LibraryError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the content"
    more = f" There are {error.error_count() - 1} more errors." if error.error_count() > 1 else ""
    return LibraryError(
        f"{where}: {key}: {first['msg']}.{more}", hint="docs/how-to/evaluate-a-setup.md has the format."
    )


def _truth(entry: _Entry, folder: Path) -> Truth:
    """The id depends on the name only, so that adding images to the file changes no other id."""
    number = int(hashlib.sha256(entry.name.encode()).hexdigest()[:12], 16)
    task = ReviewTask(
        key=TaskKey(ProjectKey(instance="files", project_id=0, created=""), number),
        image=_located(entry.name, folder),
        reference=_located(entry.reference, folder) if entry.reference else "",
        prompt=entry.prompt,
    )
    return Truth(task, entry.name, tuple(entry.regions), entry.verdict, entry.blind)


def _located(name: str, folder: Path) -> str:
    """A URL as it is; a file below the folder."""
    return name if "://" in name else str((folder / name).absolute())
