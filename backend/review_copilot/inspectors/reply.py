"""The reply that a model owes: its JSON schema, made from the guideline, and what becomes of what it really wrote.

Structure that is wrong raises `ReplyProblem`, so that the model may be asked to repair it. A finding that is wrong is
mended or left out, and counted: a reply's good findings are not lost for a bad one. Knows no endpoint and no image but
the sizes that were sent.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.suggestion import Dropped
from review_copilot.inspectors.chat import Schema
from review_copilot.inspectors.coordinates import Convention, Order, Unit, read_numbers, within
from review_copilot.inspectors.views import View

MOST_FINDINGS = 12
_LETTERS_PER_WORD = 12
_MOST_PICTURES = 16
_MOST_PIXELS = 20000
_SUMMARY_WORDS = 60
_DESCRIPTION_WORDS = 40
_SAME_PLACE_IOU = 0.9
_MOSTLY_OUTSIDE = 0.5
_LEAST_SIDE_PX = 2.0
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)

_KINDS: Mapping[str, type] = {"array": list, "object": dict, "boolean": bool}

Json: TypeAlias = Mapping[str, object]


class ReplyProblem(ValueError):
    """The reply is not of the asked form; the text says what is wrong in words for the model."""


@dataclass(frozen=True, slots=True)
class ReplyFinding:
    """One finding as the model gave it, checked.

    Attributes:
        criterion_id: A criterion of the guideline, or UNCOVERED.
        severity: As the model judged.
        box: In fractions of the whole image; None for the whole image.
        rationale: One line, within the guideline's number of words.
        confidence: The model's own, 0..1.
        description: What an uncovered pattern looks like; empty otherwise.
    """

    criterion_id: str
    severity: Severity
    box: Box | None
    rationale: str
    confidence: float
    description: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply, checked.

    Attributes:
        findings: In the model's order; empty is a good answer.
        verdict: The model's own; None when it gave none that exists.
        summary: One line; may be empty.
        dropped: What was left out or cut, and why.
        notes: What was mended.
    """

    findings: tuple[ReplyFinding, ...]
    verdict: Verdict | None
    summary: str
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyForm:
    """What a reply must look like for one guideline and one model family.

    Attributes:
        guideline: Gives the criterion ids and the length of a rationale.
        convention: How boxes are written.
        box_key: What the box is called.
        close_ups: Whether several pictures may be sent, so that a finding must say in which it is seen.
    """

    guideline: Guideline
    convention: Convention
    box_key: str = "box"
    close_ups: bool = False

    @property
    def schema(self) -> Schema:
        """The strict JSON schema, bounded in length."""
        whole_numbers = self.convention.unit is not Unit.FRACTION
        most = {Unit.PERCENT: 100, Unit.PIXELS: _MOST_PIXELS, Unit.BINS_1024: 1023}.get(self.convention.unit, 1000)
        words = self.guideline.rationale.max_words
        finding: dict[str, object] = {
            "criterion": {"type": "string", "enum": [*(c.id for c in self.guideline.criteria), UNCOVERED]},
            "description": {"type": ["string", "null"], "maxLength": _DESCRIPTION_WORDS * _LETTERS_PER_WORD},
            "rationale": {"type": "string", "maxLength": words * _LETTERS_PER_WORD},
        }
        if self.close_ups:
            finding["image"] = whole_number(1, _MOST_PICTURES)
        finding[self.box_key] = {
            "anyOf": [
                {
                    "type": "array",
                    "items": whole_number(0, most) if whole_numbers else {"type": "number"},
                    "minItems": self.convention.order.numbers,
                    "maxItems": self.convention.order.numbers,
                },
                {"type": "null"},
            ]
        }
        finding["severity"] = {"type": "string", "enum": [severity.value for severity in Severity]}
        finding["confidence"] = whole_number(0, 100)
        return closed_object(
            {
                "findings": {"type": "array", "items": closed_object(finding), "maxItems": MOST_FINDINGS},
                "verdict": {"type": "string", "enum": [verdict.value for verdict in Verdict]},
                "summary": {"type": "string", "maxLength": _SUMMARY_WORDS * _LETTERS_PER_WORD},
            }
        )

    def read(self, text: str, *, views: Sequence[View]) -> Reply:
        """Read a reply.

        Args:
            text: What the model wrote: JSON, bare or in a fence.
            views: The pictures that were sent, in their order.

        Raises:
            ReplyProblem: There is no JSON object, or no list of findings in it.
        """
        reply = read_object(text)
        listed = reply.get("findings")
        if not isinstance(listed, list):
            raise ReplyProblem('"findings" must be a list')
        reader = _Reader(form=self, views=views)
        findings = reader.distinct([found for item in listed if (found := reader.finding(item)) is not None])
        return Reply(
            findings=findings,
            verdict=reader.verdict(reply.get("verdict")),
            summary=reader.words(reply.get("summary"), most=_SUMMARY_WORDS, what="the summary"),
            dropped=tuple(reader.dropped),
            notes=tuple(reader.notes),
        )

    def example(self) -> str:
        """A reply with one finding, as the prompt shows it, in the family's own convention for a 1000 x 750 picture."""
        first = self.guideline.criteria[0]
        box = self.convention.from_box(Box(0.62, 0.18, 0.2, 0.16), width_px=1000, height_px=750)
        numbers = list(box) if self.convention.unit is Unit.FRACTION else [round(number) for number in box]
        finding: dict[str, object] = {
            "criterion": first.id,
            "description": None,
            "rationale": "Upper right: what is seen.",
        }
        if self.close_ups:
            finding["image"] = 1
        finding |= {self.box_key: numbers, "severity": Severity.MINOR.value, "confidence": 70}
        return json.dumps(
            {"findings": [finding], "verdict": Verdict.PASS.value, "summary": "One minor flaw, upper right."}
        )


def closed_object(properties: Json) -> dict[str, object]:
    """The schema of an object of which every property is required and no other is allowed."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def whole_number(least: int, most: int) -> dict[str, object]:
    """The schema of a whole number within bounds: without them a weak model may write digits for ever."""
    return {"type": "integer", "minimum": least, "maximum": most}


def read_object(text: str) -> Json:
    """The JSON object of a text: bare, in a fence, or between words.

    Raises:
        ReplyProblem: There is none.
    """
    candidates = [text, *_FENCE.findall(text)]
    if "{" in text:
        candidates.append(text[text.index("{") : text.rindex("}") + 1] if "}" in text else "")
    for candidate in candidates:
        try:
            read = json.loads(candidate, strict=False)  # grammars let control characters into strings
        except (json.JSONDecodeError, RecursionError):
            continue
        if isinstance(read, dict):
            return read
    raise ReplyProblem("the reply must be one JSON object and nothing else")


def checked_object(text: str, schema: Schema) -> Json:
    """The JSON object of a text, with every property that the schema requires at its top, of the right kind.

    Raises:
        ReplyProblem: There is none, or a property is missing or of another kind.
    """
    read = read_object(text)
    properties = schema["properties"]
    assert isinstance(properties, Mapping)  # noqa: S101 - every schema here is made by `closed_object`
    for name, wanted in properties.items():
        if name not in read:
            raise ReplyProblem(f'"{name}" is missing')
        kind = wanted.get("type")
        if kind in _KINDS and not isinstance(read[name], _KINDS[kind]):
            raise ReplyProblem(f'"{name}" must be a JSON {kind}')
    return read


class _LeftOut(Exception):
    """A finding that cannot be used."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.what = what
        self.why = why


class _Reader:
    """Reads the findings of one reply and keeps count of what it leaves out."""

    def __init__(self, *, form: ReplyForm, views: Sequence[View]) -> None:
        self._form = form
        self._views = views
        self.dropped: list[Dropped] = []
        self.notes: list[str] = []

    def finding(self, item: object) -> ReplyFinding | None:
        try:
            return self._finding(item)
        except _LeftOut as reason:
            self.dropped.append(Dropped(reason.what, reason.why))
            return None

    def _finding(self, item: object) -> ReplyFinding:
        if not isinstance(item, dict):
            raise _LeftOut("A finding", "it is no JSON object")
        named = str(item.get("criterion", "")).strip()
        criterion_id = named if self._known(named) else self._form.guideline.id_of(named)
        if criterion_id is None:
            raise _LeftOut("A finding", f"the guideline has no criterion {named[:40]!r}")
        what = f"A finding of {criterion_id}"
        if item.get("severity") not in list(Severity):
            raise _LeftOut(what, f"there is no severity {str(item.get('severity'))[:20]!r}")
        try:
            box = self._box(item, criterion_id)
        except ValueError as error:
            raise _LeftOut(what, str(error)) from error
        description = ""
        if criterion_id == UNCOVERED:
            description = self.words(item.get("description"), most=_DESCRIPTION_WORDS, what="a description")
        most = self._form.guideline.rationale.max_words
        rationale = self.words(item.get("rationale"), most=most, what="a rationale") or description
        return ReplyFinding(
            criterion_id=criterion_id,
            severity=Severity(str(item["severity"])),
            box=box,
            rationale=rationale or f"{self._form.guideline.label_of(criterion_id)}; the model gave no reason.",
            confidence=self._confidence(item.get("confidence")),
            description=description,
        )

    def distinct(self, findings: Sequence[ReplyFinding]) -> tuple[ReplyFinding, ...]:
        """The findings without those that say again what a surer one says, in their order."""
        kept: list[ReplyFinding] = []
        for finding in sorted(findings, key=lambda f: -f.confidence):
            if any(_same(finding, other) for other in kept):
                again = Dropped(f"A finding of {finding.criterion_id}", "another one says the same of the same place")
                self.dropped.append(again)
            else:
                kept.append(finding)
        return tuple(finding for finding in findings if any(finding is other for other in kept))

    def verdict(self, value: object) -> Verdict | None:
        if value in list(Verdict):
            return Verdict(str(value))
        self.notes.append("The model gave no verdict of the guideline; the guideline's rule decides.")
        return None

    def words(self, value: object, *, most: int, what: str) -> str:
        """One line of printable text, cut after `most` words."""
        if not isinstance(value, str):
            return ""
        words = "".join(letter if letter.isprintable() else " " for letter in value).split()
        text = " ".join(words[:most])[: most * _LETTERS_PER_WORD]
        if len(words) > most:
            self.dropped.append(Dropped(f"The end of {what}", f"it was longer than {most} words"))
            return text.rstrip(" .,;:") + " …"
        return text

    def _known(self, criterion_id: str) -> bool:
        return criterion_id == UNCOVERED or self._form.guideline.criterion(criterion_id) is not None

    def _box(self, item: Json, criterion_id: str) -> Box | None:
        """The box in fractions of the whole image; raises ValueError with the reason to leave the finding out."""
        view = self._view(item.get("image"))
        written = item.get(self._form.box_key, item.get("box"))
        if written is None or written == []:
            return None if view.box == Box.whole() else view.box
        numbers = read_numbers(written)
        box = self._form.convention.to_box(numbers, width_px=view.width_px, height_px=view.height_px)
        if self._form.convention.order in {Order.XYXY, Order.YXYX} and (
            numbers[0] > numbers[2] or numbers[1] > numbers[3]
        ):
            self.notes.append(f"The corners of a box of {criterion_id} were swapped; they were put in order.")
        inside = box.clipped()
        if inside is None and box.area > 0:
            raise ValueError("its box lies outside the image")
        if (
            inside is None
            or inside.width * view.width_px < _LEAST_SIDE_PX
            or (inside.height * view.height_px < _LEAST_SIDE_PX)
        ):
            raise ValueError("its box has no area")
        if inside.area < _MOSTLY_OUTSIDE * box.area:
            raise ValueError("its box lies mostly outside the image")
        if box.area - inside.area > 1e-9:
            self.dropped.append(Dropped(f"Part of a box of {criterion_id}", "it reached past the image"))
        return within(view.box, inside)

    def _view(self, number: object) -> View:
        if number is None and len(self._views) >= 1:
            return self._views[0]
        if isinstance(number, int) and 1 <= number <= len(self._views):
            return self._views[number - 1]
        raise ValueError(f"it speaks of picture {str(number)[:10]}, which was not sent")

    def _confidence(self, value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            self.notes.append("A finding came without a confidence; one half was taken.")
            return 0.5
        share = value if isinstance(value, float) and 0 <= value <= 1 else value / 100
        if not 0 <= share <= 1:
            self.notes.append(f"A confidence of {value} was brought within 0 to 100.")
        return min(1.0, max(0.0, share))


def _same(one: ReplyFinding, other: ReplyFinding) -> bool:
    if one.criterion_id != other.criterion_id:
        return False
    return (one.box or Box.whole()).iou(other.box or Box.whole()) > _SAME_PLACE_IOU
