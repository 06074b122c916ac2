"""Forms of the whole reply as real models write them: its shape, its syntax, what stands around it. Knows no reader."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

from mangling_forms import (
    FENCE,
    FIELD_MANGLINGS,
    SHAPE,
    SYNTAX,
    THOUGHTS,
    Change,
    Finding,
    Mangling,
    Reply,
    dumped,
    has_findings,
)

# Shape of the whole ---------------------------------------------------------------------------------------------------


def list_key(key: str) -> Change:
    return lambda reply, _rng: {key if name.lower() == "findings" else name: value for name, value in reply.items()}


def findings_key(reply: Reply) -> str:
    return next(name for name in reply if name.lower() == "findings")


def with_findings(write: Callable[[list[Finding]], Any]) -> Change:
    def change(reply: Any, _rng: Random) -> Any:
        key = findings_key(reply)
        return {**reply, key: write(reply[key])}

    return change


def shape(name: str, what: str, change: Change, fits: Callable[[Reply], bool] = lambda _reply: True) -> Mangling:
    return Mangling(name, "shape", what, SHAPE, change, fits)


def one_finding(reply: Reply) -> bool:
    return len(reply["findings"]) == 1


SHAPE_MANGLINGS: tuple[Mangling, ...] = (
    shape(
        "wrapper",
        "wraps the reply in an object",
        lambda reply, rng: {rng.choice(["result", "response", "review"]): reply},
    ),
    shape("wrapper_twice", "wraps the reply in two objects", lambda reply, _rng: {"output": {"json": reply}}),
    shape("wrapper_list", "wraps the reply in a list", lambda reply, _rng: [reply]),
    shape(
        "wrapper_arguments", "writes a tool call as text", lambda reply, _rng: {"name": "report", "arguments": reply}
    ),
    shape(
        "bare_list", "writes the list of findings only", lambda reply, _rng: reply[findings_key(reply)], has_findings
    ),
    shape("findings_defects", "names the list `defects`", list_key("defects"), has_findings),
    shape("findings_issues", "names the list `issues`", list_key("issues"), has_findings),
    shape(
        "findings_string", "writes the list of findings as a string of JSON", with_findings(json.dumps), has_findings
    ),
    shape(
        "findings_mapping",
        "writes findings as an object with numbers for keys",
        with_findings(lambda findings: {str(n): finding for n, finding in enumerate(findings, 1)}),
        has_findings,
    ),
    shape(
        "findings_single",
        "writes a single finding without its list",
        with_findings(lambda findings: findings[0]),
        one_finding,
    ),
)


# Syntax ---------------------------------------------------------------------------------------------------------------


def lines(value: Any) -> list[str]:
    return dumped(value, indent=2).split("\n")


def trailing_commas(value: Any, _rng: Random) -> str:
    return re.sub(r"([^\s,{\[])(\n\s*[}\]])", r"\1,\2", dumped(value, indent=2))


def line_comments(value: Any, rng: Random) -> str:
    written = lines(value)
    marked = {n for n in range(len(written)) if rng.random() < 0.3} | {0}
    return "\n".join(f"{line}  // as seen" if n in marked else line for n, line in enumerate(written))


def block_comments(value: Any, _rng: Random) -> str:
    first, *rest = lines(value)
    return "\n".join([first, "  /* findings, the worst first */", *rest])


def bare_keys(value: Any, _rng: Random) -> str:
    return re.sub(r'^(\s*)"([A-Za-z_]\w*)":', r"\1\2:", dumped(value, indent=2), flags=re.MULTILINE)


def escaped_apostrophes(value: Any, _rng: Random) -> str:
    return dumped(value).replace("'", "\\'")


def raw_line_breaks(value: Any, _rng: Random) -> str:
    def broken(part: Any) -> Any:
        if isinstance(part, dict):
            return {k: f"{v}\r\n\tSigned" if k.lower() == "summary" else broken(v) for k, v in part.items()}
        return [broken(one) for one in part] if isinstance(part, list) else part

    return dumped(broken(value)).replace("\\r\\n\\t", "\n\t")


def syntax(name: str, what: str, change: Change, fits: Callable[[Reply], bool] = lambda _reply: True) -> Mangling:
    return Mangling(name, "syntax", what, SYNTAX, change, fits)


def has_apostrophe(reply: Reply) -> bool:
    return "'" in dumped(reply)


SYNTAX_MANGLINGS: tuple[Mangling, ...] = (
    syntax("trailing_commas", "writes a comma after the last of a list", trailing_commas),
    syntax("line_comments", "writes comments after lines", line_comments),
    syntax("block_comments", "writes comments between lines", block_comments),
    syntax("python_literals", "writes single quotes and None", lambda value, _rng: repr(value)),
    syntax("bare_keys", "writes keys without quotes", bare_keys),
    syntax("escaped_apostrophes", "puts a backslash before apostrophes", escaped_apostrophes, has_apostrophe),
    syntax("raw_line_breaks", "breaks lines within a string", raw_line_breaks),
    syntax("ascii", "writes all but ASCII as escapes, on many lines", lambda value, _rng: json.dumps(value, indent=4)),
    syntax(
        "json_in_a_string", "writes the reply as a string of JSON", lambda value, _rng: json.dumps(json.dumps(value))
    ),
)


# What stands around it ------------------------------------------------------------------------------------------------

DRAFT = '{"findings": [], "verdict": "pass", "summary": "A first look."}'
MUSING = f"The user wants JSON. Perhaps {DRAFT}? Wait, look again at the corner {{right}}; there is [something]."


def around(name: str, what: str, before: str, after: str = "", *, stage: int = FENCE) -> Mangling:
    slot = "fence" if stage == FENCE else "thoughts"
    return Mangling(name, slot, what, stage, lambda text, _rng: f"{before}{text}{after}")


AROUND_MANGLINGS: tuple[Mangling, ...] = (
    around("fence", "answers in a code fence", "```json\n", "\n```"),
    around("fence_bare", "answers in a fence without a language", "```\n", "\n```"),
    around(
        "fence_capital",
        "answers in a fence with prose around it",
        "Here is the review:\n\n```JSON\n",
        "\n```\n\nShall I look closer?",
    ),
    around("fence_tildes", "answers in a fence of tildes", "~~~json\n", "\n~~~"),
    around("fence_unclosed", "forgets to close the fence", "```json\n"),
    around(
        "fence_draft_final",
        "answers with a draft, then the final",
        f"Draft:\n```json\n{DRAFT}\n```\nFinal:\n```json\n",
        "\n```",
    ),
    around(
        "prose",
        "writes prose before and after",
        "I looked at the picture with care.\n\n",
        "\n\nThese are all flaws that I see.",
    ),
    around(
        "prose_brackets",
        "writes prose with brackets",
        "Ids are in [PQ-01 .. PQ-15], boxes in {0..1000}:\n",
        "\n(All boxes [x1, y1, x2, y2].)",
    ),
    around("answer_tags", "answers between tags", "<answer>", "</answer>"),
    around("glm_box", "answers between tokens as GLM-4.5V does", "<|begin_of_box|>", "<|end_of_box|>"),
    around("end_token", "leaves the end token in the text", "", "<|im_end|>"),
    around("word_json", "writes the word json before the object", "json\n"),
    around("byte_order_mark", "begins with a byte order mark", "\ufeff", "\n\n"),
    Mangling("said_twice", "fence", "says the same object twice", FENCE, lambda text, _rng: f"{text}\n{text}"),
    around("thoughts", "thinks aloud between tags", f"<think>\n{MUSING}\n</think>\n\n", stage=THOUGHTS),
    around(
        "thoughts_unopened",
        "ends its thoughts with a tag that was never opened",
        f"{MUSING}\n</think>\n\n",
        stage=THOUGHTS,
    ),
    around("thoughts_empty", "writes empty thoughts", "<think>\n\n</think>\n\n", stage=THOUGHTS),
    around("thoughts_thinking", "thinks between other tags", f"<thinking>{MUSING}</thinking>", stage=THOUGHTS),
    around("thoughts_mistral", "thinks between brackets as Magistral does", f"[THINK]{MUSING}[/THINK]", stage=THOUGHTS),
    around("thoughts_kimi", "thinks between tokens as Kimi-VL does", f"◁think▷{MUSING}◁/think▷", stage=THOUGHTS),
    around(
        "thoughts_harmony",
        "thinks in a channel as gpt-oss does",
        f"<|channel|>analysis<|message|>{MUSING}<|end|><|start|>assistant<|channel|>final<|message|>",
        stage=THOUGHTS,
    ),
)

MANGLINGS: tuple[Mangling, ...] = FIELD_MANGLINGS + SHAPE_MANGLINGS + SYNTAX_MANGLINGS + AROUND_MANGLINGS
