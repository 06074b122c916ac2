"""Texts use plain American English: no word of the list below, in documentation, strings, docstrings, and comments.

CONTRIBUTING.md has the rules. This test catches the words that came back most often.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

WORDS: Mapping[str, str] = {
    # British spelling
    r"behaviours?": "behavior",
    r"(?:dis)?colour\w*": "color",
    r"centres?|centred|centring": "center",
    r"licences?": "license",
    r"greys?|greyscale|greyish": "gray",
    r"artefacts?": "artifact",
    r"favourites?|favour(?:s|ed)?": "favorite, prefer",
    r"neighbour\w*": "neighbor",
    r"unlabelled|labelled|labelling": "labeled",
    r"cancelled|cancelling": "canceled",
    r"(?:normal|recogn|organ|summar|initial|serial|optim|minim|maxim|util|visual)is(?:e[sd]?|ing|ation)": "-ize",
    r"analys(?:e|ed|ing)": "analyze",
    r"fulfils?|fulfilment": "fulfill, implement",
    r"judgements?": "judgment",
    r"learnt|spelt|dreamt": "learned",
    r"whilst": "while",
    r"amongst": "among",
    r"towards": "toward",
    r"afterwards": "afterward, later",
    # old-fashioned or translated words
    r"mend(?:s|ed|ing)?": "fix",
    r"hitherto|therein|thereof|thereby|whereof|whereupon|herein|heretofore|henceforth|anew": "a plain word",
    r"errands?": "pending draft",
    r"purses?": "budget",
    r"parcels?": "column chunk",
    r"lookbooks?": "reviewed crops",
    r"doorkeepers?": "authenticator",
    r"workbench(?:es)?": "priority pool",
    r"clerks?": "coordinator",
    r"by nature": "normally",
    r"say which": "choose",
    r"had in mind": "expected",
    r"hung up|hang up|hangs up": "disconnected",
    r"(?:could not |cannot |can )?be had": "is not available",
    r"is said|are said|was said|were said|said a word|says a word": "is reported, is mentioned",
    r"is told|are told|was told|were told": "is notified, is shown",
    r"nobody said|somebody said|nobody says": "no value is given",
    r"(?:of )?somebody else's": "another person's, external",
    r"goes by|go by|went by|gone by": "uses, follows",
    r"see to it|seen to|see to|sees to|saw to": "process, handle",
    r"let go of|lets go of": "give up, release",
    r"taken up|takes up|take up|took up": "take over, continue",
    r"struck out|strike out|strikes out": "remove",
    r"set beside|beside each other": "compare",
    r"told apart|tells? apart|telling apart": "distinguish",
    r"what became of": "outcome of",
    r"out of reach": "unreachable",
    r"owes|owed": "is pending",
    r"at a glance": "quickly",
    r"fit to print": "safe to print",
    r"one(?: \w+)? a line": "one per line",
    r"for ever": "permanently, forever",
    r"looks? after": "manages",
}
"""Regular expression of a word or phrase to what to write instead."""

_LISTED = re.compile("|".join(rf"(?P<w{number}>\b(?:{word})\b)" for number, word in enumerate(WORDS)), re.IGNORECASE)
_INSTEAD = tuple(WORDS.values())
_CODE = re.compile(r"``?[^`]*``?|https?://\S+|\{[^{}]*\}|<!--.*?-->", re.DOTALL)
_SKIPPED = re.compile(r"<!-- word-list: skip -->.*?<!-- word-list: end -->", re.DOTALL)
_NAME = re.compile(r"\S*[\w]+[_./\\=#][\w/]\S*")
"""A word with an underscore, a dot or a slash inside is an identifier, a file or a key, not prose."""

_STRINGS = frozenset(
    number for name in ("STRING", "COMMENT", "FSTRING_MIDDLE") if (number := getattr(tokenize, name, None)) is not None
)


def prose_of(file: Path) -> Iterator[tuple[int, str]]:
    """The texts of a file that people read, each with the line on which it starts."""
    source = file.read_text("utf-8")
    if file.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in _STRINGS and " " in token.string.strip():
                yield token.start[0], token.string
    else:
        yield 1, _SKIPPED.sub(lambda skipped: "\n" * skipped[0].count("\n"), source)


def listed_words(text: str, *, line: int = 1) -> list[str]:
    """What a text has of the list, as `line: word (write: ...)`."""

    def blank(found: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", found[0])

    prose = _NAME.sub(blank, _CODE.sub(blank, text))
    hits = []
    for found in _LISTED.finditer(prose):
        assert found.lastgroup is not None
        instead = _INSTEAD[int(found.lastgroup.removeprefix("w"))]
        hits.append(f"{line + prose.count(chr(10), 0, found.start())}: {found[0]} (write: {instead})")
    return hits


def written_files() -> list[Path]:
    """All files whose texts people read.

    Guidelines and prompts are left out: their wording is part of a guideline revision and of a prompt hash, so that a
    change of it drafts projects again.
    """
    patterns = ("*.md", "docs/**/*.md", "docs/*.py", "backend/**/*.py", "backend/**/*.j2", "docker/*")
    return sorted({file for pattern in patterns for file in ROOT.glob(pattern) if file.is_file()})


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", written_files(), ids=name_of)
def test_a_text_uses_no_word_of_the_list(file: Path) -> None:
    found = [f"{name_of(file)}:{hit}" for line, text in prose_of(file) for hit in listed_words(text, line=line)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Mend them in the environment.", "Mend"),
        ("What was learnt helps.", "learnt"),
        ("The image could not be had in time.", "could not be had"),
        ("It shows the colour\nof the centre.", "colour"),
        ("A parcel of rows", "parcel"),
        ("one object a line", "one object a line"),
    ],
)
def test_a_listed_word_is_found(text: str, word: str) -> None:
    assert any(f" {word} (" in hit for hit in listed_words(text))


@pytest.mark.parametrize(
    "text",
    [
        "The criterion `colour_cast` and the folder `docs/centre`.",
        "measured as colour_cast in grey.png",
        "Recommended amendments depend on the parcelling.",
        "See https://example.org/colour for more.",
        "f'{colour} {greys}'",
    ],
)
def test_identifiers_and_parts_of_words_are_no_hits(text: str) -> None:
    assert listed_words(text) == []


def test_the_line_of_a_word_is_reported() -> None:
    assert listed_words("fine\nfine\nwhilst", line=10) == ["12: whilst (write: while)"]
