"""Forms in which real models write the fields of a valid reply without meaning anything else. Knows no reader.

Boxes are taken to be [x1, y1, x2, y2] under the key "box", as the prompt asks by default.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

Reply = dict[str, Any]
Finding = dict[str, Any]
Change = Callable[[Any, Random], Any]

FIELDS, KEYS, SHAPE, SYNTAX, FENCE, THOUGHTS = range(6)
GUIDELINES = Path(__file__).resolve().parents[2] / "prompts" / "guidelines"


@dataclass(frozen=True)
class Mangling:
    """One change of form. Two of the same slot never meet in one reply; stages are applied in their order."""

    name: str
    slot: str
    what: str
    stage: int
    change: Change
    fits: Callable[[Reply], bool] = lambda _reply: True


def dumped(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


@cache
def labels() -> Mapping[str, str]:
    """The label of each criterion of the shipped guidelines, by its id."""
    found = {"uncovered": "Novel pattern"}
    for path in sorted(GUIDELINES.glob("*.yaml")):
        for criterion in yaml.safe_load(path.read_text(encoding="utf-8"))["criteria"]:
            found[criterion["id"]] = criterion["label"]
    return found


def findings_of(reply: Reply) -> list[Finding]:
    return list(reply["findings"])


def has_findings(reply: Reply) -> bool:
    return bool(reply["findings"])


def has_box(reply: Reply) -> bool:
    return any(finding.get("box") is not None for finding in reply["findings"])


def each(change: Callable[[Finding], None]) -> Change:
    """A change of every finding, on a copy of the reply."""

    def on_reply(reply: Any, _rng: Random) -> Any:
        changed = copy.deepcopy(reply)
        for finding in changed["findings"]:
            change(finding)
        return changed

    return on_reply


# Fields ---------------------------------------------------------------------------------------------------------------


def criterion(name: str, what: str, write: Callable[[str, str], Any]) -> Mangling:
    def change(finding: Finding) -> None:
        key = finding["criterion"]
        finding["criterion"] = write(key, labels().get(key, key))

    return Mangling(f"criterion_{name}", "criterion", what, FIELDS, each(change), has_findings)


def severity(name: str, what: str, write: Callable[[str], str]) -> Mangling:
    def change(finding: Finding) -> None:
        finding["severity"] = write(finding["severity"])

    return Mangling(f"severity_{name}", "severity", what, FIELDS, each(change), has_findings)


def box(name: str, what: str, write: Callable[[list[int]], Any], key: str = "box") -> Mangling:
    def change(finding: Finding) -> None:
        numbers = finding.pop("box", None)
        finding[key] = write(numbers) if isinstance(numbers, list) else numbers  # null, or the word for it

    return Mangling(f"box_{name}", "box", what, FIELDS, each(change), has_box)


def flat_box(finding: Finding) -> None:
    if isinstance(finding.get("box"), list):
        finding.update(zip(("x1", "y1", "x2", "y2"), finding.pop("box"), strict=True))


def image(name: str, what: str, write: Callable[[int], Any]) -> Mangling:
    def change(finding: Finding) -> None:
        finding["image"] = write(finding["image"])

    return Mangling(f"image_{name}", "image", what, FIELDS, each(change), has_findings)


def confidence(name: str, what: str, write: Callable[[int], Any]) -> Mangling:
    def change(finding: Finding) -> None:
        finding["confidence"] = write(finding["confidence"])

    def fits(reply: Reply) -> bool:  # 0, 1 and 100 could be read on either scale
        return has_findings(reply) and all(2 <= finding["confidence"] <= 99 for finding in reply["findings"])

    return Mangling(f"confidence_{name}", "confidence", what, FIELDS, each(change), fits)


def renamed(name: str, what: str, keys: Mapping[str, str]) -> Mangling:
    def change(finding: Finding) -> None:
        for old, new in keys.items():
            if old in finding:
                finding[new] = finding.pop(old)

    return Mangling(f"keys_{name}", "keys", what, KEYS, each(change), has_findings)


def capital_keys(reply: Any, _rng: Random) -> Any:
    small = {**reply, "findings": [{key.capitalize(): value for key, value in f.items()} for f in reply["findings"]]}
    return {key.capitalize(): value for key, value in small.items()}


def drop_null_description(finding: Finding) -> None:
    if finding.get("description") is None:
        finding.pop("description", None)


def empty_description(finding: Finding) -> None:
    finding["description"] = finding.get("description") or ""


def word_null(finding: Finding) -> None:
    for key in ("box", "description"):
        if key in finding and finding[key] is None:
            finding[key] = "null"


def more_keys(finding: Finding) -> None:
    finding.update(visible=True, notes=None, tags=["draft"])


FOUR_LEVELS = {"minor": "low", "major": "high", "critical": "critical"}
THREE_LEVELS = {"minor": "mild", "major": "moderate", "critical": "severe"}

FIELD_MANGLINGS: tuple[Mangling, ...] = (
    criterion("other_case", "writes ids in the other case", lambda key, _label: key.swapcase()),
    criterion("padded", "writes spaces around ids", lambda key, _label: f" {key} "),
    criterion("underscore", "writes ids with an underscore", lambda key, _label: key.replace("-", "_")),
    criterion("bracketed", "writes ids in brackets", lambda key, _label: f"[{key}]"),
    criterion("label", "names a criterion by its label", lambda _key, label: label),
    criterion("label_lower", "names a criterion by its label in small letters", lambda _key, label: label.lower()),
    criterion("id_label", "writes id and label with a space between", lambda key, label: f"{key} {label}"),
    criterion("id_colon_label", "writes id, colon and label", lambda key, label: f"{key}: {label}"),
    criterion("id_dash_label", "writes id, dash and label", lambda key, label: f"{key} - {label}"),
    criterion("label_id", "writes the id in brackets after the label", lambda key, label: f"{label} ({key})"),
    criterion("object", "writes a criterion as an object", lambda key, label: {"id": key, "label": label}),
    severity("upper", "writes severities in capitals", str.upper),
    severity("title", "writes severities with a capital", str.capitalize),
    severity("padded", "writes spaces around severities", lambda word: f" {word}\n"),
    severity("flaw", "writes a noun after the severity", lambda word: f"{word.capitalize()} flaw"),
    severity("four_levels", "grades as low, high, critical", lambda word: FOUR_LEVELS.get(word, word)),
    severity("three_levels", "grades as mild, moderate, severe", lambda word: THREE_LEVELS.get(word, word)),
    box("bbox", "names boxes `bbox`", list, key="bbox"),
    box("bbox_2d", "names boxes `bbox_2d`", list, key="bbox_2d"),
    box("box_2d", "names boxes `box_2d`, in the order that was asked for", list, key="box_2d"),
    box("bounding_box", "names boxes `bounding_box`", list, key="bounding_box"),
    box("corner_pairs", "writes a box as two corners", lambda b: [b[:2], b[2:]]),
    box("nested", "writes a box within a list", lambda b: [b]),
    box("strings", "writes the numbers of boxes as strings", lambda b: [str(v) for v in b]),
    box("floats", "writes the numbers of boxes with a decimal point", lambda b: [float(v) for v in b]),
    box("one_string", "writes a box as one string", lambda b: ", ".join(str(v) for v in b)),
    box("bracketed_string", "writes a box as a string with brackets", str),
    box("x1_y1", "names the numbers x1, y1, x2, y2", lambda b: dict(zip(("x1", "y1", "x2", "y2"), b, strict=True))),
    box(
        "min_max",
        "names the numbers xmin to ymax",
        lambda b: dict(zip(("xmin", "ymin", "xmax", "ymax"), b, strict=True)),
    ),
    box("sides", "names the four sides", lambda b: dict(zip(("left", "top", "right", "bottom"), b, strict=True))),
    box(
        "sizes", "names width and height", lambda b: {"x": b[0], "y": b[1], "width": b[2] - b[0], "height": b[3] - b[1]}
    ),
    box("named_corners", "names two corners", lambda b: {"top_left": b[:2], "bottom_right": b[2:]}),
    box(
        "named_points",
        "names two corners and their numbers",
        lambda b: {"top_left": {"x": b[0], "y": b[1]}, "bottom_right": {"x": b[2], "y": b[3]}},
    ),
    box(
        "internvl",
        "writes a box between tokens as InternVL does",
        lambda b: f"<box>[[{b[0]}, {b[1]}, {b[2]}, {b[3]}]]</box>",
    ),
    box(
        "qwen",
        "writes a box between tokens as Qwen-VL does",
        lambda b: f"<|box_start|>({b[0]},{b[1]}),({b[2]},{b[3]})<|box_end|>",
    ),
    Mangling("box_flat", "box", "writes x1, y1, x2, y2 beside the other fields", FIELDS, each(flat_box), has_box),
    image("string", "writes the picture's number as a string", str),
    image("float", "writes the picture's number with a decimal point", float),
    image("float_string", "writes the picture's number as a string with a decimal point", lambda n: f"{n}.0"),
    image("picture", "writes the word picture before its number", lambda n: f"Picture {n}"),
    confidence("fraction", "writes confidence from 0 to 1", lambda n: n / 100),
    confidence("fraction_string", "writes confidence from 0 to 1 as a string", lambda n: f"{n / 100:.2f}"),
    confidence("percent", "writes confidence with a percent sign", lambda n: f"{n}%"),
    confidence("string", "writes confidence as a string", str),
    confidence("float", "writes confidence with a decimal point", float),
    renamed(
        "synonyms",
        "names fields in its own way",
        {"criterion": "criterion_id", "rationale": "reason", "confidence": "certainty"},
    ),
    renamed(
        "more_synonyms",
        "names fields in another way of its own",
        {
            "criterion": "rule",
            "rationale": "explanation",
            "severity": "severity_level",
            "image": "picture",
            "confidence": "score",
        },
    ),
    Mangling("keys_capital", "keys", "writes every key with a capital", KEYS, capital_keys, has_findings),
    Mangling(
        "description_left_out",
        "nulls",
        "leaves out descriptions that are null",
        FIELDS,
        each(drop_null_description),
        has_findings,
    ),
    Mangling(
        "description_empty",
        "nulls",
        "writes empty descriptions for null",
        FIELDS,
        each(empty_description),
        has_findings,
    ),
    Mangling("null_word", "nulls", "writes the word null in quotes", FIELDS, each(word_null), has_findings),
    Mangling("more_keys", "more", "adds fields that nobody asked for", FIELDS, each(more_keys), has_findings),
)
