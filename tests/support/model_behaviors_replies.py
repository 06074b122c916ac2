"""Behaviors of models that answer well in a form of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from mangling_forms import SHAPE, Mangling, dumped
from mangling_texts import MANGLINGS
from manglings import SAMPLE_REPLY, apply
from model_calls import (
    SEED,
    THOUGHT,
    Answer,
    Behavior,
    Call,
    as_json,
    calling_a_tool,
    chat,
    events,
    say,
    send,
    stream,
    well,
)


def _reading(name: str, what: str, answer: Callable[[Call], Answer]) -> Behavior:
    return Behavior(name, "reading", what, "same_findings", answer)


# Form of the text -----------------------------------------------------------------------------------------------------


def _mangled(mangling: Mangling) -> Behavior:
    def answer(call: Call) -> Answer:
        if not call.is_review and mangling.stage <= SHAPE:
            return well(call)
        return say(call, apply([mangling], call.reply, Random(SEED)))

    return _reading(mangling.name, f"The model {mangling.what}.", answer)


TEXTS: tuple[Behavior, ...] = tuple(_mangled(one) for one in MANGLINGS if one.fits(SAMPLE_REPLY))


# Form of the message --------------------------------------------------------------------------------------------------


def _in_reasoning(key: str) -> Callable[[Call], Answer]:
    return lambda call: say(call, "", **{key: call.good_text})


def _beside_reasoning(key: str) -> Callable[[Call], Answer]:
    return lambda call: say(call, call.good_text, **{key: THOUGHT})


def _old_function_call(call: Call) -> Answer:
    message = {"content": None, "function_call": {"name": "report", "arguments": call.good_text}}
    return send(call, chat(call, message, finish="function_call"))


def _parts(call: Call, *, thinking: bool) -> Answer:
    parts: list[dict[str, Any]] = [{"type": "text", "text": call.good_text}]
    if thinking:
        parts.insert(0, {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]})
    return as_json(chat(call, {"content": parts}))


def _summary(call: Call, ending: str) -> Answer:
    if not call.is_review:
        return well(call)
    return say(call, dumped(call.reply).replace('"summary": "', f'"summary": "{ending}', 1))


def _invalid_utf8(call: Call) -> Answer:
    good = say(call, f"R@sum@:\n```json\n{call.good_text}\n```")
    return replace(good, body=good.body.replace(b"R@sum@", b"R\xe9sum\xe9"))


def _changed(change: Callable[[dict[str, Any]], None]) -> Callable[[Call], Answer]:
    """The honest completion with a change; sent at once."""

    def answer(call: Call) -> Answer:
        completion = chat(call, {"content": call.good_text})
        change(completion)
        return as_json(completion)

    return answer


def _finish(word: str | None) -> Callable[[Call], Answer]:
    return lambda call: say(call, call.good_text, finish=word)


def _without_finish(completion: dict[str, Any]) -> None:
    del completion["choices"][0]["finish_reason"]


def _two_choices(completion: dict[str, Any]) -> None:
    other = {"index": 1, "message": {"role": "assistant", "content": "Nothing to add."}, "finish_reason": "stop"}
    completion["choices"].append(other)


def _bare_completion(completion: dict[str, Any]) -> None:
    for key in ("id", "object", "created", "model", "usage"):
        del completion[key]


def _unasked_stream(**form: Any) -> Callable[[Call], Answer]:
    return lambda call: stream(events(chat(call, {"content": call.good_text})), **form)


def _stream_as_json(call: Call) -> Answer:
    return replace(_unasked_stream()(call), content_type="application/json")


def _keep_alive(call: Call) -> Answer:
    good = as_json(chat(call, {"content": call.good_text}))
    return replace(good, body=b"\n" * 40 + b"   " + good.body, pause_s=0.3)


MESSAGES: tuple[Behavior, ...] = (
    _reading(
        "reasoning_content_only",
        "The content is empty and the answer stands in `reasoning_content`.",
        _in_reasoning("reasoning_content"),
    ),
    _reading(
        "reasoning_only", "The content is empty and the answer stands in `reasoning`.", _in_reasoning("reasoning")
    ),
    _reading(
        "reasoning_content_beside",
        "A draft stands in `reasoning_content`, the answer in the content.",
        _beside_reasoning("reasoning_content"),
    ),
    _reading(
        "reasoning_beside", "A draft stands in `reasoning`, the answer in the content.", _beside_reasoning("reasoning")
    ),
    _reading(
        "tool_call_unasked",
        "The answer is a tool call that nobody asked for.",
        calling_a_tool(lambda call: call.good_text),
    ),
    _reading(
        "tool_call_object",
        "The arguments of the tool call are an object, not a string.",
        calling_a_tool(lambda call: call.reply),
    ),
    _reading("function_call_old", "The answer is a function call in the old form.", _old_function_call),
    _reading("content_parts", "The content is a list of parts.", lambda call: _parts(call, thinking=False)),
    _reading(
        "content_parts_thinking",
        "The content is a list with a part of thoughts.",
        lambda call: _parts(call, thinking=True),
    ),
    _reading(
        "lone_surrogate", "The summary holds half an emoji as an escape.", lambda call: _summary(call, "\\ud83d ")
    ),
    _reading(
        "null_character", "The summary holds a null character as an escape.", lambda call: _summary(call, "\\u0000")
    ),
    _reading("invalid_utf8", "The prose around the fence is Latin-1 in a body that says UTF-8.", _invalid_utf8),
    _reading("finish_null", "The finish reason is null.", _finish(None)),
    _reading("finish_end_turn", "The finish reason is `end_turn`.", _finish("end_turn")),
    _reading("finish_capitals", "The finish reason is `STOP`.", _finish("STOP")),
    _reading("finish_eos", "The finish reason is `eos_token`.", _finish("eos_token")),
    _reading(
        "finish_tool_calls", "The finish reason is `tool_calls` although the answer is content.", _finish("tool_calls")
    ),
    _reading("finish_missing", "There is no finish reason.", _changed(_without_finish)),
    _reading("two_choices", "There are two choices and the first is the answer.", _changed(_two_choices)),
    _reading("bare_completion", "The completion holds choices and nothing else.", _changed(_bare_completion)),
    _reading("keep_alive", "The body begins with blank lines that keep the connection alive.", _keep_alive),
    _reading("stream_unasked", "The answer is a stream that nobody asked for.", _unasked_stream()),
    _reading(
        "stream_comments",
        "The stream begins with comment lines as OpenRouter's do.",
        _unasked_stream(before=": OPENROUTER PROCESSING\n\n" * 2),
    ),
    _reading("stream_without_done", "The stream ends without its last mark.", _unasked_stream(end="")),
    _reading("stream_crlf", "The stream has Windows line ends.", _unasked_stream(line_end="\r\n")),
    _reading("stream_as_json", "The stream says that it is JSON.", _stream_as_json),
)


REPLIES: tuple[Behavior, ...] = TEXTS + MESSAGES
