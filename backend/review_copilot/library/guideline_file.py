"""Read and validate a guideline file: each problem names file, line, and fix. Knows no folder and no Label Studio."""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from review_copilot.domain.guideline import (
    UNCOVERED,
    Criterion,
    Guideline,
    NovelPattern,
    RationaleStyle,
    Severity,
    SeverityAnchor,
    VerdictRule,
)
from review_copilot.errors import GuidelineError
from review_copilot.library.marked_yaml import MarkedDocument, Problem, YamlPath, read_marked

_REVISION_DIGITS = 12


def read_guideline(text: str, *, guideline_id: str, file: str) -> Guideline:
    """Parse the text of a guideline file.

    Args:
        text: YAML.
        guideline_id: The guideline's id: its file name without the extension.
        file: The file name, for messages.

    Raises:
        GuidelineError: The file is invalid; the message has every problem, one per line: `file:line: problem;
            fix`.
    """
    document = read_marked(text)
    if document.problems:
        raise _error(document.problems, file=file)
    if not isinstance(document.value, dict):
        problem = Problem(1, "a guideline must be a mapping of keys", f"start with: {', '.join(_File.model_fields)}")
        raise _error([problem], file=file)
    try:
        parsed = _File.model_validate(document.value)
    except ValidationError as error:
        raise _error((_worded(item, document) for item in error.errors()), file=file) from None
    if problems := list(_contradictions(parsed, document)):
        raise _error(problems, file=file)
    return _guideline(parsed, guideline_id=guideline_id)


def _one_line(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


_Text = Annotated[str, BeforeValidator(_one_line), Field(min_length=1)]
"""Text on one line: line breaks in the file are not content, so they do not change the revision."""
_Texts = Annotated[tuple[_Text, ...], Field(min_length=1)]
_OptionalText = Annotated[str, BeforeValidator(_one_line)]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
_Counts = dict[Literal["minor", "major", "critical", "uncovered"], Annotated[int, Field(ge=1)]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Anchor(_Strict):
    words: _Text
    at_least: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] | None = None


class _Anchors(_Strict):
    minor: _Anchor
    major: _Anchor
    critical: _Anchor


class _CriterionEntry(_Strict):
    id: _Id
    label: _Text
    definition: _Text
    flag_when: _Texts
    do_not_flag_when: _Texts
    unit: _OptionalText = ""
    severity: _Anchors
    rationale: _Text
    measures: tuple[_Id, ...] = ()
    hotkey: _OptionalText = ""
    detail: Annotated[bool, Field(strict=True)] = False
    formerly: tuple[_Text, ...] = ()


class _NovelEntry(_Strict):
    label: _Text
    definition: _Text
    hotkey: _OptionalText = ""


class _VerdictEntry(_Strict):
    words: _Text
    fail: _Counts
    discuss: _Counts


class _RationaleEntry(_Strict):
    max_words: Annotated[int, Field(strict=True, ge=5, le=200)]
    words: _Text


class _File(_Strict):
    title: _Text
    version: _Text
    purpose: _Text
    verdict: _VerdictEntry
    rationale: _RationaleEntry
    novel: _NovelEntry
    criteria: Annotated[tuple[_CriterionEntry, ...], Field(min_length=1)]


_SHAPES: Mapping[tuple[str, ...], type[_Strict]] = {
    (): _File,
    ("verdict",): _VerdictEntry,
    ("rationale",): _RationaleEntry,
    ("novel",): _NovelEntry,
    ("criteria",): _CriterionEntry,
    ("criteria", "severity"): _Anchors,
    **{("criteria", "severity", severity.value): _Anchor for severity in Severity},
}
"""The allowed keys for each path, without list indices."""


def _worded(item: ErrorDetails, document: MarkedDocument) -> Problem:
    """One of pydantic's errors, in terms that guideline authors know."""
    path: YamlPath = tuple(part for part in item["loc"] if part != "[key]")
    line = document.line(path)
    name, owner = str(path[-1]) if path else "", _owner(path[:-1], document)
    given, context = item["input"], item.get("ctx", {})
    match item["type"]:
        case "extra_forbidden":
            shape = _SHAPES.get(tuple(part for part in path[:-1] if isinstance(part, str)))
            what, fix = f'unknown key "{name}"{owner}', _nearest(name, shape.model_fields if shape else ())
        case "missing":
            kind = "anchor" if name in list(Severity) else "key"
            what, fix = f'the {kind} "{name}" is missing{owner}', f"add `{name}:` below this line"
        case "literal_error":
            what, fix = f'"{name}" is not something to count{owner}', "count minor, major, critical, or uncovered"
        case "string_type" if isinstance(given, bool | int | float):
            what, fix = f'YAML reads "{name}" as {type(given).__name__}, not as text{owner}', "put it in quotes"
        case "string_type" | "tuple_type" | "dict_type" | "model_type" | "model_attributes_type":
            kind = {"string_type": "text", "tuple_type": "a list"}.get(item["type"], "a mapping of keys")
            what, fix = f'"{name}" must be {kind}{owner}', f"write {kind} here"
        case "string_too_short" | "too_short":
            what, fix = f'"{name}" is empty{owner}', "write at least one entry or sentence"
        case "string_pattern_mismatch":
            what = f'"{given}" cannot be used as "{name}"{owner}'
            fix = "use at most 40 letters, digits, dots, dashes, and underscores"
        case "float_type" | "int_type" | "int_parsing" | "int_from_float" | "finite_number":
            what = f'"{name}" is {given!r}, which is not a valid number{owner}'
            fix = "write a plain number without a unit"
        case "greater_than_equal" | "less_than_equal":
            limit = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
            what, fix = f'"{name}" is {given!r}{owner}', f"write a number of {limit}"
        case _:
            what, fix = f'"{name}"{owner}: {item["msg"]}', "compare it with the built-in photo-quality.yaml"
    return Problem(line, what, fix)


def _owner(path: YamlPath, document: MarkedDocument) -> str:
    """The location of a key, for messages, such as ` in PQ-03, severity, major`."""
    words: list[str] = []
    value = document.value
    for part in path:
        value = value[part] if isinstance(value, list | dict) else None  # type: ignore[index]
        if isinstance(part, str):
            words.append(part)
        elif isinstance(value, dict):
            words[-1:] = [str(value.get("id") or value.get("label") or f"entry {part + 1} of {words[-1]}")]
    return f" in {', '.join(words)}" if words else ""


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.casefold(), list(known), n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else f"allowed here: {', '.join(known)}"


def _contradictions(parsed: _File, document: MarkedDocument) -> Iterator[Problem]:
    """Problems between keys that are valid individually."""
    seen: dict[tuple[str, str], int] = {}

    def twice(kind: str, text: str, path: YamlPath) -> Iterator[Problem]:
        line, key = document.line(path), (kind, text.casefold())
        if key in seen:
            yield Problem(line, f'the {kind} "{text}" is already used (line {seen[key]})', f"choose another {kind}")
        elif text:
            seen[key] = line

    yield from twice("label", parsed.novel.label, ("novel", "label"))
    yield from twice("hotkey", parsed.novel.hotkey, ("novel", "hotkey"))
    for index, entry in enumerate(parsed.criteria):
        here: YamlPath = ("criteria", index)
        if entry.id.casefold() == UNCOVERED:
            yield Problem(
                document.line((*here, "id")), f'"{UNCOVERED}" is reserved for the novel pattern', "choose another id"
            )
        yield from twice("id", entry.id, (*here, "id"))
        yield from twice("label", entry.label, (*here, "label"))
        for position, label in enumerate(entry.formerly):
            yield from twice("label", label, (*here, "formerly", position))
        yield from twice("hotkey", entry.hotkey, (*here, "hotkey"))
        for position, measure in enumerate(entry.measures):
            yield from twice("measure", measure, (*here, "measures", position))
        yield from _anchor_contradictions(entry, here, document)


def _anchor_contradictions(entry: _CriterionEntry, here: YamlPath, document: MarkedDocument) -> Iterator[Problem]:
    anchors = [(severity, getattr(entry.severity, severity.value).at_least) for severity in Severity]
    numbered = [(severity, least) for severity, least in anchors if least is not None]
    for (lower, below), (higher, above) in itertools.pairwise(numbered):
        if above <= below:
            line = document.line((*here, "severity", higher.value, "at_least"))
            what = f"{higher} starts at {above:g}, which is not above {lower} at {below:g}, in {entry.id}"
            yield Problem(line, what, "increase at_least from minor to critical")
    if numbered and not entry.unit:
        line = document.line((*here, "severity"))
        yield Problem(line, f"{entry.id} has severity levels with numbers but no unit", "add `unit:` to the criterion")


def _error(problems: Iterable[Problem], *, file: str) -> GuidelineError:
    # Of problems on one line, unknown keys come first: a mistyped key explains the missing one.
    found = sorted(dict.fromkeys(problems), key=lambda p: (p.line, not p.what.startswith("unknown key")))
    return GuidelineError("\n".join(f"{file}:{problem.line}: {problem.what}; {problem.fix}" for problem in found))


def _guideline(parsed: _File, *, guideline_id: str) -> Guideline:
    values = parsed.model_dump(mode="json")
    for entry in values["criteria"]:
        if not entry["formerly"]:
            del entry["formerly"]  # guidelines without the key keep the revision that they had before it existed
    content = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return Guideline(
        id=guideline_id,
        title=parsed.title,
        version=parsed.version,
        purpose=parsed.purpose,
        criteria=tuple(_criterion(entry) for entry in parsed.criteria),
        novel=NovelPattern(parsed.novel.label, parsed.novel.definition, parsed.novel.hotkey),
        verdict=VerdictRule(
            parsed.verdict.words,
            fail={str(key): count for key, count in parsed.verdict.fail.items()},
            discuss={str(key): count for key, count in parsed.verdict.discuss.items()},
        ),
        rationale=RationaleStyle(parsed.rationale.max_words, parsed.rationale.words),
        revision=hashlib.sha256(content.encode()).hexdigest()[:_REVISION_DIGITS],
    )


def _criterion(entry: _CriterionEntry) -> Criterion:
    anchors: Mapping[str, _Anchor] = {severity.value: getattr(entry.severity, severity.value) for severity in Severity}
    return Criterion(
        id=entry.id,
        label=entry.label,
        definition=entry.definition,
        flag_when=entry.flag_when,
        do_not_flag_when=entry.do_not_flag_when,
        severity={s: SeverityAnchor(anchors[s.value].words, anchors[s.value].at_least) for s in Severity},
        unit=entry.unit,
        rationale=entry.rationale,
        measures=entry.measures,
        hotkey=entry.hotkey,
        detail=entry.detail,
        formerly=entry.formerly,
    )
