"""Behaviors of models that fail: useless replies, one spoiled finding, answers cut off, wrong counts of tokens."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

from mangling_forms import Finding, Reply, dumped
from manglings import BREAKS, Break
from model_calls import (
    SEED,
    THOUGHT,
    USAGE,
    Answer,
    Behavior,
    Call,
    Category,
    Expect,
    as_json,
    calling_a_tool,
    chat,
    events,
    page,
    refusal,
    say,
    send,
    stream,
    tool_call,
    well,
)

# Useless replies ------------------------------------------------------------------------------------------------------


def _broken(broken: Break) -> Behavior:
    def answer(call: Call) -> Answer:
        if not call.is_review:
            return well(call)
        return say(call, broken.write(call.reply, Random(SEED)), finish=broken.finish_reason)

    return _unusable(broken.name, f"The model {broken.what}, every time.", answer)


def _unusable(name: str, what: str, answer: Callable[[Call], Answer], words: str = "") -> Behavior:
    return Behavior(name, "unusable", what, "typed_failure", answer, words=words)


def _refusal(call: Call) -> Answer:
    return say(call, None, refusal="I can't help with identifying people in this picture.")


def _stream_cut(call: Call) -> Answer:
    return stream(events(chat(call, {"content": call.good_text}), pieces=40)[:6], end="")


def _stream_error(call: Call) -> Answer:
    error = {"error": {"code": "server_error", "message": "Provider disconnected unexpectedly"}}
    return stream([*events(chat(call, {"content": call.good_text}), pieces=40)[:6], error])


def _only_choices(choices: Any) -> Callable[[Call], Answer]:
    return lambda call: as_json({**chat(call, {"content": ""}), "choices": choices})


_FILTERED = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."

USELESS: tuple[Behavior, ...] = (
    *(_broken(one) for one in BREAKS if one.finish_reason == "stop"),
    _unusable("refusal", "The model refuses in the field for it.", _refusal, "identifying people"),
    _unusable("content_filter", "The answer was filtered away.", lambda call: say(call, "", finish="content_filter")),
    _unusable(
        "content_policy_400",
        "Azure's filter refuses the picture.",
        lambda call: refusal(400, _FILTERED, code="content_filter", param="prompt") if call.is_review else well(call),
        "content management policy",
    ),
    _unusable("no_choices", "The list of choices is empty.", _only_choices([])),
    _unusable("choices_null", "The choices are null.", _only_choices(None)),
    _unusable(
        "message_null", "The message is null.", _only_choices([{"index": 0, "message": None, "finish_reason": "stop"}])
    ),
    _unusable(
        "other_tool", "The model calls another tool.", calling_a_tool(lambda _call: '{"query": "dust on lenses"}')
    ),
    _unusable("stream_cut", "The stream ends in the middle of the first finding.", _stream_cut),
    _unusable("stream_error", "The stream ends with an error.", _stream_error, "Provider disconnected unexpectedly"),
    _unusable(
        "login_page",
        "A proxy answers 200 with its login page.",
        lambda _call: page(200, "Sign in to continue"),
        "Sign in to continue",
    ),
    _unusable("empty_body", "The body of the answer is empty.", lambda _call: Answer()),
    _unusable("no_content_status", "The status is 204 and there is no body.", lambda _call: Answer(204)),
    _unusable(
        "not_json", "The body is cut JSON.", lambda _call: Answer(body=b'{"id": "chatcmpl-1", "choices": [{"ind')
    ),
    _unusable(
        "a_list_of_models",
        "The answer to a chat is a list of models.",
        lambda _call: as_json({"object": "list", "data": []}),
    ),
)


# One finding spoiled --------------------------------------------------------------------------------------------------


def spoiled(reply: Reply, spoil: Callable[[Finding], Any]) -> str:
    """The reply with its last boxed finding spoiled; `spoil` changes the finding, or gives what stands in its place."""
    changed = copy.deepcopy(reply)
    boxed = [n for n, finding in enumerate(changed["findings"]) if finding.get("box") is not None]
    if not boxed or len(changed["findings"]) < 2:
        raise ValueError("A partial behavior needs a reply of two findings at least, one of them with a box.")
    finding = changed["findings"][boxed[-1]]
    instead = spoil(finding)
    changed["findings"][boxed[-1]] = finding if instead is None else instead
    return dumped(changed)


def _partial(
    name: str, what: str, spoil: Callable[[Finding], Any], *, heals: Callable[[Call], bool] | None = None
) -> Behavior:
    def answer(call: Call) -> Answer:
        if not call.is_review or (heals and heals(call)):
            return well(call)
        return say(call, spoiled(call.reply, spoil))

    return Behavior(name, "partial", what, "same_findings" if heals else "incomplete", answer)


def _put(key: str, value: Any) -> Callable[[Finding], None]:
    return lambda finding: finding.update({key: value})


def _drop(key: str) -> Callable[[Finding], None]:
    def drop(finding: Finding) -> None:
        del finding[key]

    return drop


def _new_words(call: Call) -> bool:
    """Whether a repair came that tells the model more than the first request did."""
    heard: set[str] = call.memory.setdefault("heard", set())
    new = call.text not in heard
    heard.add(call.text)
    return call.is_repair and new


_SHORT = _put("box", [700, 600, 760])

PARTS: tuple[Behavior, ...] = (
    _partial("one_box_short", "One box has three numbers, every time.", _SHORT),
    _partial("one_box_long", "One box has five numbers, every time.", _put("box", [1, 700, 600, 760, 690])),
    _partial("one_box_in_words", "One box is written in words, every time.", _put("box", "around the lamp")),
    _partial("one_box_of_nulls", "One box holds a null, every time.", _put("box", [700, None, 760, 690])),
    _partial("one_box_not_a_number", "One box holds NaN, every time.", _put("box", [700, float("nan"), 760, 690])),
    _partial("one_box_missing", "One finding has no box at all, not even null, every time.", _drop("box")),
    _partial(
        "one_criterion_unknown", "One finding names an unknown criterion, every time.", _put("criterion", "ZZ-99")
    ),
    _partial("one_criterion_missing", "One finding names no criterion, every time.", _drop("criterion")),
    _partial("one_severity_unknown", "One severity is of no scale, every time.", _put("severity", "purple")),
    _partial("one_severity_missing", "One finding has no severity, every time.", _drop("severity")),
    _partial("one_picture_unknown", "One finding names a picture that was not sent, every time.", _put("image", 99)),
    _partial("one_finding_of_words", "One finding is a sentence, every time.", lambda finding: finding["rationale"]),
    _partial("one_finding_a_number", "One finding is a number, every time.", lambda _finding: 7),
    _partial(
        "one_box_short_once",
        "One box has three numbers until the model is told.",
        _SHORT,
        heals=lambda call: call.is_repair,
    ),
    _partial(
        "one_severity_unknown_once",
        "One severity is of no scale until the model is told.",
        _put("severity", "purple"),
        heals=lambda call: call.is_repair,
    ),
    _partial(
        "repair_needs_new_words",
        "One box has three numbers until the request says more than at first.",
        _SHORT,
        heals=_new_words,
    ),
)


# Cut off --------------------------------------------------------------------------------------------------------------

ENOUGH = 3000


def _short(call: Call) -> bool:
    return call.limit is not None and call.limit < ENOUGH


def _cut(cut: Callable[[Call], tuple[dict[str, Any], str]], *, always: bool = False) -> Callable[[Call], Answer]:
    def answer(call: Call) -> Answer:
        if not always and not _short(call):
            return well(call)
        message, finish = cut(call)
        spent = call.limit or 8192
        usage = {"prompt_tokens": 1200, "completion_tokens": spent, "total_tokens": 1200 + spent}
        return send(call, chat(call, message, finish=finish, usage=usage))

    return answer


def _truncated(name: str, what: str, answer: Callable[[Call], Answer], expect: Expect = "same_findings") -> Behavior:
    return Behavior(name, "truncation", what, expect, answer, booked=None)


def _cut_once(call: Call) -> Answer:
    if call.is_repair or not call.is_review:
        return well(call)
    return say(call, call.good_text[: len(call.good_text) // 2])


CUTS: tuple[Behavior, ...] = (
    _truncated(
        "cut_in_answer",
        "The answer is cut off below 3000 tokens.",
        _cut(lambda c: ({"content": c.good_text[:60]}, "length")),
    ),
    _truncated(
        "cut_in_reasoning",
        "Reasoning takes the whole limit; the content is empty.",
        _cut(lambda _c: ({"content": "", "reasoning_content": THOUGHT}, "length")),
    ),
    _truncated(
        "cut_content_null",
        "Reasoning that is not shown takes the whole limit; the content is null.",
        _cut(lambda _c: ({"content": None}, "length")),
    ),
    _truncated(
        "cut_in_open_thoughts",
        "Thoughts in the content are cut off before they close.",
        _cut(lambda _c: ({"content": f"<think>{THOUGHT}"}, "length")),
    ),
    _truncated(
        "cut_in_bare_thoughts",
        "Thoughts without tags are cut off, with a draft in them.",
        _cut(lambda _c: ({"content": THOUGHT}, "length")),
    ),
    _truncated(
        "cut_max_tokens_word",
        "The finish reason of a cut answer is `max_tokens`.",
        _cut(lambda c: ({"content": c.good_text[:60]}, "max_tokens")),
    ),
    _truncated(
        "cut_capitals",
        "The finish reason of a cut answer is `MAX_TOKENS`.",
        _cut(lambda c: ({"content": c.good_text[:60]}, "MAX_TOKENS")),
    ),
    _truncated(
        "cut_in_tool_call",
        "The arguments of a tool call are cut off.",
        _cut(lambda c: ({"content": None, "tool_calls": [tool_call(c, c.good_text[:60])]}, "length")),
    ),
    _truncated("cut_but_says_stop", "The first answer is cut in half and says stop.", _cut_once),
    _truncated(
        "thinks_forever",
        "No limit is enough for the reasoning.",
        _cut(lambda _c: ({"content": "", "reasoning_content": THOUGHT}, "length"), always=True),
        "typed_failure",
    ),
    _truncated(
        "repeats_forever",
        "One token is repeated up to any limit.",
        _cut(lambda _c: ({"content": '{"findings": [{"box": [' + "0, " * 300}, "length"), always=True),
        "typed_failure",
    ),
)


# Miscounted -----------------------------------------------------------------------------------------------------------


def _counted(name: str, what: str, usage: Any, booked: tuple[int, int] | None) -> Behavior:
    return Behavior(name, "accounting", what, "same_findings", lambda call: well(call, usage=usage), booked=booked)


def _without_usage(call: Call) -> Answer:
    completion = chat(call, {"content": call.good_text})
    del completion["usage"]
    return send(call, completion)


_TOLD_ALL = {"prompt_tokens": 1200, "completion_tokens": 950, "total_tokens": 2150}
_HIDDEN = {"prompt_tokens": 1200, "completion_tokens": 150, "total_tokens": 2150}
_ACCOUNTING: Category = "accounting"

COUNTS: tuple[Behavior, ...] = (
    Behavior("usage_missing", _ACCOUNTING, "The usage is missing.", "same_findings", _without_usage, booked=None),
    _counted("usage_null", "The usage is null.", None, None),
    _counted(
        "usage_zero", "The usage is all zeros.", {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None
    ),
    _counted("usage_empty", "The usage is an empty object.", {}, None),
    _counted(
        "usage_strings",
        "The usage holds numbers as strings.",
        {key: str(value) for key, value in USAGE.items()},
        (1200, 150),
    ),
    _counted("usage_total_only_reasoning", "Reasoning is counted in the total only.", _HIDDEN, (1200, 950)),
    _counted(
        "usage_reasoning_apart",
        "Reasoning is told apart and not in the completion's tokens.",
        {**_HIDDEN, "completion_tokens_details": {"reasoning_tokens": 800}},
        (1200, 950),
    ),
    _counted(
        "usage_reasoning_within",
        "Reasoning is told, and counted within the completion's tokens.",
        {**_TOLD_ALL, "completion_tokens_details": {"reasoning_tokens": 800}},
        (1200, 950),
    ),
    _counted(
        "usage_details_null",
        "The details of the usage are null.",
        {**USAGE, "prompt_tokens_details": None, "completion_tokens_details": None},
        (1200, 150),
    ),
    _counted(
        "usage_cached",
        "Most of the prompt was cached.",
        {**USAGE, "prompt_tokens_details": {"cached_tokens": 1024}},
        (1200, 150),
    ),
    _counted(
        "usage_completion_missing",
        "The completion's tokens are missing, the total is there.",
        {"prompt_tokens": 1200, "total_tokens": 1350},
        (1200, 150),
    ),
)

FAILURES: tuple[Behavior, ...] = USELESS + PARTS + CUTS + COUNTS
