"""The reply that a model must send: its JSON schema, made from the guideline, and what a checked reply holds.

Knows no endpoint and no picture. What becomes of a reply that a model really wrote is decided in `reply_reader`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Criterion, Guideline, Severity, Verdict
from review_copilot.domain.suggestion import Dropped
from review_copilot.inspectors.chat import Faults, Schema
from review_copilot.inspectors.coordinates import Convention, Unit
from review_copilot.inspectors.reading.shapes import NoReview, written_object

MOST_FINDINGS = 12
LETTERS_PER_WORD = 12
SUMMARY_WORDS = 60
DESCRIPTION_WORDS = 40
CLEAN, FLAWED, UNCLEAR = "none", "flaw", "cannot tell"
"""What a model says of each criterion. `cannot tell` counts as not examined."""
_MOST_PICTURES = 16
_MOST_PIXELS = 20000
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
        findings: In the model's order; empty is a good answer where `examined` says that it looked.
        verdict: The model's own; None when it gave none that exists.
        summary: One line; may be empty.
        dropped: What was left out or cut, and why.
        notes: The repairs, and findings that could not be read.
        faults: What is wrong, in words for the model; empty for a reply that needs no repair.
        unreadable: How many findings could not be read.
        doubled: How many findings said again what a surer one says.
        examined: Ids of the criteria that the model says it looked at, and of its findings.
        answered: Whether it said of every criterion whether it looked; without any word on it, whether it found any.
    """

    findings: tuple[ReplyFinding, ...]
    verdict: Verdict | None
    summary: str
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    unreadable: int = 0
    doubled: int = 0
    examined: frozenset[str] = frozenset()
    answered: bool = True

    @property
    def complete(self) -> bool:
        """Whether all findings could be read and every criterion was answered."""
        return not self.unreadable and self.answered


@dataclass(frozen=True, slots=True)
class ReplyForm:
    """What a reply must look like for one guideline and one model family.

    Attributes:
        guideline: Gives the criterion ids and the length of a rationale.
        convention: How boxes are written.
        box_key: What the box is called.
        close_ups: Whether several pictures may be sent, so that a finding must say in which it is seen.
        measured: Whether measurements are sent beside the picture, so that numbers may be repeated.
        image_wide: Ids of the criteria that speak of the whole image.
        known: The whole guideline, where `guideline` holds only the criteria that are asked about; a finding of another
            one of its criteria is read as well.
    """

    guideline: Guideline
    convention: Convention
    box_key: str = "box"
    close_ups: bool = False
    measured: bool = False
    image_wide: frozenset[str] = frozenset()
    known: Guideline | None = None

    @property
    def whole_guideline(self) -> Guideline:
        """The guideline with all its criteria, asked about or not."""
        return self.known or self.guideline

    @property
    def schema(self) -> Schema:
        """The strict JSON schema, bounded in length."""
        whole_numbers = self.convention.unit is not Unit.FRACTION
        most = {Unit.PERCENT: 100, Unit.PIXELS: _MOST_PIXELS, Unit.BINS_1024: 1023}.get(self.convention.unit, 1000)
        words = self.guideline.rationale.max_words
        finding: dict[str, object] = {
            "criterion": {"type": "string", "enum": [*(c.id for c in self.guideline.criteria), UNCOVERED]},
            "description": {"type": ["string", "null"], "maxLength": DESCRIPTION_WORDS * LETTERS_PER_WORD},
            "rationale": {"type": "string", "maxLength": words * LETTERS_PER_WORD},
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
        looked = {"type": "string", "enum": [CLEAN, FLAWED, UNCLEAR]}
        return closed_object(
            {
                "criteria": closed_object({criterion.id: looked for criterion in self.guideline.criteria}),
                "findings": {"type": "array", "items": closed_object(finding), "maxItems": MOST_FINDINGS},
                "verdict": {"type": "string", "enum": [verdict.value for verdict in Verdict]},
                "summary": {"type": "string", "maxLength": SUMMARY_WORDS * LETTERS_PER_WORD},
            }
        )

    def example(self) -> str:
        """A reply as the prompt shows it, in the family's own convention for a 1000 x 750 picture.

        One flaw lies in a box; another one, of a criterion for the whole image where one is known, has none.
        """
        placed, everywhere = self._example_criteria()
        box = self.convention.from_box(Box(0.62, 0.18, 0.2, 0.16), width_px=1000, height_px=750)
        numbers: list[float] = list(box)
        if self.convention.unit is not Unit.FRACTION:
            numbers = [round(number) for number in box]
        findings = [self._example_finding(placed, numbers, rationale="Upper right: what is seen.", confidence=70)]
        if everywhere is not None:
            words = "The whole picture: what is seen."
            findings.append(self._example_finding(everywhere, None, rationale=words, confidence=60))
        flawed = {str(finding["criterion"]) for finding in findings}
        return json.dumps(
            {
                "criteria": {c.id: FLAWED if c.id in flawed else CLEAN for c in self.guideline.criteria},
                "findings": findings,
                "verdict": Verdict.PASS.value,
                "summary": "Minor flaws only.",
            }
        )

    def clean_example(self) -> str:
        """The reply for an image without flaws, as the prompt shows it."""
        looked = {criterion.id: CLEAN for criterion in self.guideline.criteria}
        said = {"criteria": looked, "findings": [], "verdict": Verdict.PASS.value}
        return json.dumps({**said, "summary": "No flaw by this guideline."})

    def _example_criteria(self) -> tuple[Criterion, Criterion | None]:
        criteria = self.guideline.criteria
        wide = next((criterion for criterion in criteria if criterion.id in self.image_wide), None)
        placed = next((criterion for criterion in criteria if criterion.id not in self.image_wide), criteria[0])
        return placed, wide or next((criterion for criterion in criteria if criterion is not placed), None)

    def _example_finding(
        self, criterion: Criterion, numbers: list[float] | None, *, rationale: str, confidence: int
    ) -> dict[str, object]:
        finding: dict[str, object] = {"criterion": criterion.id, "description": None, "rationale": rationale}
        if self.close_ups:
            finding["image"] = 1
        return finding | {self.box_key: numbers, "severity": Severity.MINOR.value, "confidence": confidence}


def closed_object(properties: Json) -> dict[str, object]:
    """The schema of an object of which every property is required and no other is allowed."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def whole_number(least: int, most: int) -> dict[str, object]:
    """The schema of a whole number within bounds: without them a weak model may write digits without end."""
    return {"type": "integer", "minimum": least, "maximum": most}


def checked_object(text: str, schema: Schema) -> Json:
    """The JSON object of a text, with every property that the schema requires at its top, of the right kind.

    Raises:
        ReplyProblem: There is none, or a property is missing or of another kind.
    """
    properties = schema["properties"]
    assert isinstance(properties, Mapping)  # noqa: S101 - every schema here is made by `closed_object`
    try:
        read = written_object(text, list(properties))
    except NoReview as error:
        raise ReplyProblem(str(error)) from error
    for name, wanted in properties.items():
        if name not in read:
            raise ReplyProblem(f'"{name}" is missing')
        kind = wanted.get("type")
        if kind in _KINDS and not isinstance(read[name], _KINDS[kind]):
            raise ReplyProblem(f'"{name}" must be a JSON {kind}')
    return read


def object_faults(text: str, schema: Schema) -> Faults:
    """What is wrong with the object of a text, for a repair turn."""
    try:
        checked_object(text, schema)
    except ReplyProblem as problem:
        return Faults(words=(str(problem),), useless=True)
    return Faults(parts=1)
