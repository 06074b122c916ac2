"""Guideline files that are broken or made to harm: a typed error that names file and line, in no time."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from review_copilot.errors import GuidelineError
from review_copilot.library import load_guideline
from review_copilot.library.guideline_file import read_guideline

SEED, MUTATIONS = 16, 400
SHIPPED = (Path(__file__).parents[3] / "prompts" / "guidelines" / "photo-quality.yaml").read_text("utf-8")


def _levels(count: int, width: int) -> str:
    lines = [f"l0: &l0 [{', '.join(['x'] * width)}]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * width)}]" for n in range(1, count)]
    return "\n".join(lines)


HOSTILE = {
    "alias bomb": _levels(10, 10),
    "wide alias bomb": _levels(2, 3000),
    "deep alias chain": "\n".join([f"l{n}: &l{n} [*l{n - 1}]" if n else "l0: &l0 [x]" for n in range(200)]),
    "alias to itself": "a: &a [*a]",
    "mapping that holds itself": "a: &a {b: *a}",
    "deep lists": "[" * 5000,
    "deep closed lists": "[" * 3000 + "]" * 3000,
    "deep mappings": "{a: " * 3000,
    "deep blocks": "\n".join(" " * n + f"k{n}:" for n in range(1500)),
    "deep dashes": "- " * 3000 + "x",
    "too long": "a: b\n" * 300_000,
    "a number of 5000 digits": "title: " + "9" * 5000,
    "python object": "title: !!python/object/apply:os.system [echo]",
    "unknown tag": "title: !secret x",
    "binary": "title: !!binary '***'",
    "impossible date": "title: 2026-99-99",
    "set": "title: !!set {a, b}",
    "NUL": 'title: "a\\0b"',
    "raw NUL": "title: a\0b",
    "lone surrogate": 'title: "\\ud800"',
    "raw surrogate": "title: \ud800",
    "control character": 'title: "\\x07"',
    "two documents": "a: 1\n---\nb: 2\n",
    "merge key": "base: &b {a: 1}\nx:\n  <<: *b",
    "complex key": "? [a, b]\n: c",
    "empty": "",
    "null": "~",
    "only a text": "hello",
    "infinite": "title: .inf",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_each_is_refused_with_file_and_line(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(GuidelineError, match=r"bad\.yaml"):
        read_guideline(text, guideline_id="bad", file="bad.yaml")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x80abc", b"\x1f\x8b\x08"])
def test_files_that_are_no_text(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(data)
    with pytest.raises(GuidelineError):
        load_guideline(str(file))


POISON = [
    "\0",
    "\ud800",
    "&a",
    "*a",
    "[",
    "{",
    "!!python/name:os",
    "9" * 5000,
    "\t",
    ": ",
    "- ",
    "\n",
    "null",
    '"',
    "%",
    "\u2028",
]


def test_seeded_mutations_of_the_shipped_guideline() -> None:
    """Each reads or is refused by a typed error; nothing else comes out."""
    rng = random.Random(SEED)
    refused = 0
    for _ in range(MUTATIONS):
        text = SHIPPED
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(text))
            text = text[:place] + rng.choice(POISON) + text[place + rng.randrange(30) :]
        try:
            read_guideline(text, guideline_id="bad", file="bad.yaml")
        except GuidelineError:
            refused += 1
    assert refused > MUTATIONS / 2
