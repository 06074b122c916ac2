"""Tell a model's answer from its thoughts, where both stand in one text. Knows no JSON.

Models mark thoughts by tags of their own: `<think>`, `[THINK]`, `◁think▷`, channels of gpt-oss. Some servers cut off
the opening tag (vLLM without a reasoning parser).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAMES = (
    r"(?:\w+:)?(?:begin_of_|end_of_)?"
    r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|analysis|scratchpad|monologue)"
)
_OPEN = re.compile(rf"(?:<\|?|\[|◁)\s*{_NAMES}\s*(?:\|?>|\]|▷)", re.IGNORECASE)
_CLOSE = re.compile(
    rf"(?:<\|?|\[|◁)\s*(?:/\s*{_NAMES}|end_of_(?:thought|thinking|reasoning))\s*(?:\|?>|\]|▷)", re.IGNORECASE
)
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)[^<]*<\|message\|>")


@dataclass(frozen=True, slots=True)
class Told:
    """A text taken apart.

    Attributes:
        answer: Everything outside thoughts.
        thoughts: Everything that is marked as a thought and was ended.
    """

    answer: str
    thoughts: str = ""


def without_thoughts(text: str) -> Told:
    """Take a text apart. Thoughts that never end leave nothing of what follows their tag."""
    channels = list(_CHANNEL.finditer(text))
    if channels:
        last = channels[-1]
        body = text[last.end() :].partition("<|end|>")[0]
        return Told(body) if last.group(1).lower() == "final" else Told(text[: channels[0].start()], body)
    answer: list[str] = []
    thoughts: list[str] = []
    at = 0
    while True:
        opened, closed = _OPEN.search(text, at), _CLOSE.search(text, at)
        if closed is not None and (opened is None or closed.start() < opened.start()):
            thoughts.append("".join(answer) + text[at : closed.start()])  # its opening tag was cut off
            answer, at = [], closed.end()
            continue
        if opened is None:
            answer.append(text[at:])
            break
        answer.append(text[at : opened.start()])
        if closed is None:
            break
        thoughts.append(text[opened.end() : closed.start()])
        at = closed.end()
    return Told("".join(answer), "\n".join(thoughts))
