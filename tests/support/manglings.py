"""Seeded manglings of a reply: forms that keep its meaning, and breaks after which nothing may be read.

`mangle` and `break_reply` write the text of the model's message and the finish reason beside it. Knows no reader.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from mangling_forms import SYNTAX, Finding, Mangling, Reply, dumped, has_box, has_findings
from mangling_texts import MANGLINGS

MOST_AT_ONCE = 3

SAMPLE_REPLY: Reply = {
    "findings": [
        {
            "criterion": "PQ-14",
            "description": None,
            "rationale": "Three soft dark spots lie in the plain sky above the church's roof.",
            "image": 1,
            "box": [620, 180, 820, 340],
            "severity": "major",
            "confidence": 85,
        },
        {
            "criterion": "PQ-01",
            "description": None,
            "rationale": "The cyclist's face is soft in every direction; no hair is resolved.",
            "image": 1,
            "box": [105, 410, 455, 905],
            "severity": "critical",
            "confidence": 90,
        },
        {
            "criterion": "PQ-09",
            "description": None,
            "rationale": "The whole picture leans to yellow; the white wall is cream.",
            "image": 1,
            "box": None,
            "severity": "minor",
            "confidence": 40,
        },
        {
            "criterion": "uncovered",
            "description": "Rings of light around the lamp.",
            "rationale": "Right of the middle, four thin rings surround the lamp.",
            "image": 1,
            "box": [700, 600, 760, 690],
            "severity": "minor",
            "confidence": 55,
        },
    ],
    "verdict": "fail",
    "summary": "A soft cyclist, spots in the sky, a yellow cast and rings around the lamp.",
}


@dataclass(frozen=True)
class Mangled:
    """A reply as it arrives, and the names of what was done to it."""

    text: str
    finish_reason: str
    names: tuple[str, ...]


def mangle(reply: Reply, rng: Random, n: int) -> Mangled:
    """The reply with `n` manglings that keep its meaning, at most three and no two of one kind."""
    if not 0 <= n <= MOST_AT_ONCE:
        raise ValueError(f"Between 0 and {MOST_AT_ONCE} manglings compose, not {n}.")
    fitting = [mangling for mangling in MANGLINGS if mangling.fits(reply)]
    slots = rng.sample(sorted({mangling.slot for mangling in fitting}), n)
    chosen = [rng.choice([mangling for mangling in fitting if mangling.slot == slot]) for slot in slots]
    chosen.sort(key=lambda mangling: mangling.stage)
    return Mangled(apply(chosen, reply, rng), "stop", tuple(mangling.name for mangling in chosen))


def apply(manglings: list[Mangling], reply: Reply, rng: Random) -> str:
    """The text that comes of a reply under manglings, which must stand in the order of their stages."""
    value: Any = copy.deepcopy(reply)
    for mangling in manglings:
        if mangling.stage > SYNTAX and not isinstance(value, str):
            value = dumped(value)
        value = mangling.change(value, rng)
    return value if isinstance(value, str) else dumped(value)


# Breaks ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Break:
    """One way in which a reply becomes useless."""

    name: str
    what: str
    write: Callable[[Reply, Random], str]
    fits: Callable[[Reply], bool] = lambda _reply: True
    finish_reason: str = "stop"


def cut_in_first_finding(reply: Reply, rng: Random) -> str:
    """The text up to a place before the end of the first finding, so that no finding is complete."""
    text = dumped(reply)
    start = text.index("[") + 1
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[: rng.randint(start + 1, end - 1)]


def cut_anywhere(reply: Reply, rng: Random) -> str:
    text = dumped(reply)
    return text[: rng.randint(1, len(text) - 1)]


def cut_in_a_string(reply: Reply, rng: Random) -> str:
    text = dumped(reply)
    start = text.index('"rationale": "') + len('"rationale": "')
    return text[: start + rng.randint(1, 10)]


def every(change: Callable[[Finding], None]) -> Callable[[Reply, Random], str]:
    """The reply with every finding broken."""

    def write(reply: Reply, _rng: Random) -> str:
        broken = copy.deepcopy(reply)
        for finding in broken["findings"]:
            change(finding)
        return dumped(broken)

    return write


def every_box(change: Callable[[list[int]], Any]) -> Callable[[Reply, Random], str]:
    """The findings that have a box, each with a broken one."""

    def write(reply: Reply, _rng: Random) -> str:
        boxed = [copy.deepcopy(finding) for finding in reply["findings"] if finding.get("box") is not None]
        for finding in boxed:
            finding["box"] = change(finding["box"])
        return dumped({**reply, "findings": boxed})

    return write


def without(key: str) -> Callable[[Finding], None]:
    return lambda finding: finding.pop(key, None)


def setting(key: str, value: Any) -> Callable[[Finding], None]:
    return lambda finding: finding.update({key: value})


def says(text: str) -> Callable[[Reply, Random], str]:
    return lambda _reply, _rng: text


SCHEMA_ECHO = dumped(
    {
        "type": "object",
        "properties": {"findings": {"type": "array", "items": {"type": "object"}}},
        "required": ["findings"],
    }
)

BREAKS: tuple[Break, ...] = (
    Break("cut_by_length", "is cut off by the length limit", cut_anywhere, finish_reason="length"),
    Break("cut_in_first_finding", "is cut off and says stop", cut_in_first_finding, has_findings),
    Break("cut_in_a_string", "is cut off within a string and says stop", cut_in_a_string, has_findings),
    Break("boxes_short", "writes three numbers for each box", every_box(lambda box: box[:3]), has_box),
    Break("boxes_long", "writes five numbers for each box", every_box(lambda box: [*box, 0]), has_box),
    Break("boxes_in_words", "writes boxes in words", every_box(lambda _box: "upper left corner"), has_box),
    Break("boxes_of_nulls", "writes null for each number", every_box(lambda _box: [None] * 4), has_box),
    Break("boxes_empty", "writes empty boxes", every_box(lambda _box: []), has_box),
    Break("boxes_nested_short", "writes one corner for each box", every_box(lambda box: [box[:2]]), has_box),
    Break(
        "criteria_unknown",
        "names criteria that no guideline holds",
        every(setting("criterion", "ZZ-99 Ghosts")),
        has_findings,
    ),
    Break("criteria_missing", "names no criterion", every(without("criterion")), has_findings),
    Break("severities_unknown", "grades with words of no scale", every(setting("severity", "purple")), has_findings),
    Break("severities_missing", "gives no severity", every(without("severity")), has_findings),
    Break(
        "findings_of_words",
        "writes each finding as a sentence",
        lambda reply, _rng: dumped({**reply, "findings": [finding["rationale"] for finding in reply["findings"]]}),
        has_findings,
    ),
    Break("findings_null", "writes null for the findings", lambda reply, _rng: dumped({**reply, "findings": None})),
    Break("findings_missing", "gives a verdict without findings", says('{"verdict": "pass", "summary": "No flaw."}')),
    Break("empty", "answers with nothing", says("")),
    Break("blank", "answers with line breaks only", says("\n\n \n")),
    Break("empty_object", "answers with an empty object", says("{}")),
    Break("null", "answers with null", says("null")),
    Break(
        "prose_only", "answers in prose that sounds fine", says("The picture looks fine to me. No flaws were found.")
    ),
    Break(
        "no_picture_seen",
        "says that it got no picture",
        says('{"error": "I cannot see an image in this conversation."}'),
    ),
    Break("schema_echo", "answers with the schema", says(SCHEMA_ECHO)),
    Break("other_object", "answers another question", says('{"answer": "yes", "sure": 80}')),
    Break("thoughts_only", "thinks and never answers", says('<think>There may be a flaw. {"findings": [')),
    Break(
        "endless_zeros",
        "repeats one token until the limit",
        says('{"findings": [{"criterion": "PQ-01", "box": [' + "0, " * 200),
        finish_reason="length",
    ),
    Break("noise", "answers with noise", says("ĠÐ½Ð»Ð³!!!!! }]{ ]]]} \u200b,,,,,: ::")),
)


def break_reply(reply: Reply, rng: Random) -> Mangled:
    """A reply from which nothing may be read."""
    chosen = rng.choice([one for one in BREAKS if one.fits(reply)])
    return Mangled(chosen.write(reply, rng), chosen.finish_reason, (chosen.name,))
