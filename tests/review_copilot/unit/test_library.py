"""Guidelines are read strictly, and what is wrong is named by file, line, and fix."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from review_copilot.domain.guideline import UNCOVERED, Severity
from review_copilot.errors import GuidelineError, LibraryError, PromptError
from review_copilot.library import guideline_names, load_guideline, prompt_source, shipped_label_config
from review_copilot.library.guideline_file import read_guideline

GOOD = """\
title: Tiny
version: "1"
purpose: Testing.
verdict:
  words: Fail on anything critical.
  fail: {critical: 1}
  discuss: {major: 1}
rationale: {max_words: 40, words: Place and evidence.}
novel: {label: Novel pattern, definition: Anything else.}
criteria:
  - id: T-01
    label: Soft
    definition: It is soft.
    flag_when: [soft]
    do_not_flag_when: [background]
    unit: px
    severity:
      minor: {words: a little, at_least: 1}
      major: {words: more, at_least: 2}
      critical: {words: a lot, at_least: 3}
    rationale: Say where.
    measures: [defocus]
  - id: T-02
    label: Dark
    definition: It is dark.
    flag_when: [dark]
    do_not_flag_when: [night]
    severity: {minor: {words: a little}, major: {words: more}, critical: {words: a lot}}
    rationale: Say where.
"""


def read(text: str) -> str:
    return read_guideline(text, guideline_id="tiny", file="tiny.yaml").revision


def test_a_good_guideline_is_read_whole() -> None:
    guideline = read_guideline(GOOD, guideline_id="tiny", file="tiny.yaml")
    soft, dark = guideline.criteria
    assert (guideline.id, guideline.title, guideline.version) == ("tiny", "Tiny", "1")
    assert soft.severity[Severity.MAJOR].at_least == 2.0
    assert soft.severity_of(2.5) is Severity.MAJOR
    assert dark.severity_of(9) is None
    assert guideline.verdict.fail == {"critical": 1}
    assert guideline.id_of("novel PATTERN ") == UNCOVERED
    assert len(guideline.revision) == 12


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("    definition: It is soft.", "    defenition: It is soft.", 13, 'did you mean "definition"?'),
        ("    label: Soft\n", "", 11, "add `label:`"),
        ("major: {words: more, at_least: 2}", "majr: {words: more}", 19, 'did you mean "major"?'),
        ("      major: {words: more, at_least: 2}\n", "", 17, 'the anchor "major" is missing'),
        ("id: T-02", "id: t-01", 23, 'the id "t-01" is already used (line 11)'),
        ("id: T-02", "id: uncovered", 23, "reserved for the novel pattern"),
        ("id: T-02", "id: T 02", 23, "letters, digits"),
        ("label: Dark", "label: soft", 24, 'the label "soft" is already used (line 12)'),
        ("label: Dark", "label: novel pattern", 24, "already used (line 9)"),
        ("label: Dark", "label: Dark\n    formerly: [Soft]", 25, 'the label "Soft" is already used (line 12)'),
        ("rationale: Say where.\n    measures", "rationale: Say where.\n    hotkey: 1\n    measures", 22, "in quotes"),
        ("at_least: 2", "at_least: 1", 19, "increase at_least"),
        ("at_least: 2", "at_least: two", 19, "plain number"),
        ("at_least: 2", "at_least: -2", 19, "at least 0"),
        ("at_least: 2", "at_least: .nan", 19, "plain number"),
        ("    unit: px\n", "", 16, "add `unit:`"),
        ('version: "1"', "version: 1.0", 2, "put it in quotes"),
        ("fail: {critical: 1}", "fail: {terrible: 1}", 6, "count minor, major, critical, or uncovered"),
        ("fail: {critical: 1}", "fail: {critical: 0}", 6, "at least 1"),
        ("max_words: 40", "max_words: 4000", 8, "at most 200"),
        ("flag_when: [soft]", "flag_when: soft", 14, "a list"),
        ("flag_when: [soft]", "flag_when: []", 14, "is empty"),
        ("title: Tiny", "title: Tiny\ntitle: Twice", 2, "occurs twice (first on line 1)"),
        ("verdict:\n", "verdict: pass\n", 5, "not valid YAML"),
        ("title: Tiny", "title: [Tiny", 2, "not valid YAML"),
        ("novel: {label: Novel pattern, definition: Anything else.}", "novel: none", 9, "a mapping of keys"),
        ("    unit: px", "    ? [px]\n    : px", 16, "plain text"),
    ],
)
def test_each_mistake_names_file_line_and_fix(old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    with pytest.raises(GuidelineError) as caught:
        read(GOOD.replace(old, new, 1))
    first = [row for row in caught.value.public.splitlines() if row.startswith(f"tiny.yaml:{line}: ")]
    assert any(says in row and "; " in row for row in first), caught.value.public


@pytest.mark.parametrize("text", ["", "just words", "- a\n- list", "\x00"])
def test_what_is_no_mapping_is_told_what_to_begin_with(text: str) -> None:
    with pytest.raises(GuidelineError, match=r"tiny\.yaml:1: "):
        read(text)


def test_every_mistake_is_listed() -> None:
    with pytest.raises(GuidelineError) as caught:
        read("".join(f"key{index}: 1\n" for index in range(5)))
    assert [f'unknown key "key{index}"' in caught.value.public for index in range(5)] == [True] * 5
    assert "more" not in caught.value.public.splitlines()[-1]


def test_the_revision_knows_content_only() -> None:
    """Key order, comments, quotes and line breaks change nothing; a word does."""
    values = yaml.safe_load(GOOD)
    shuffled = {key: values[key] for key in random.Random(1).sample(list(values), len(values))}
    assert read(yaml.safe_dump(shuffled, sort_keys=False, width=20)) == read(GOOD)
    assert read("# a comment\n" + GOOD.replace("It is soft.", '"It   is\n      soft."')) == read(GOOD)
    assert read(GOOD.replace("It is soft.", "It is very soft.")) != read(GOOD)
    assert read(GOOD.replace("at_least: 2", "at_least: 2.5")) != read(GOOD)
    assert read(GOOD.replace("at_least: 2", "at_least: 2.0")) == read(GOOD)


def test_earlier_labels_are_read_and_change_only_the_revision_of_a_guideline_that_names_them() -> None:
    renamed = GOOD.replace("label: Dark", "label: Too dark\n    formerly: [Dark, Dim]")
    guideline = read_guideline(renamed, guideline_id="tiny", file="tiny.yaml")
    assert guideline.criteria[1].formerly == ("Dark", "Dim")
    assert guideline.revision != read(GOOD)
    assert read(GOOD.replace("label: Dark", "label: Dark\n    formerly: []")) == read(GOOD)


def test_the_default_guideline_is_one_to_work_by() -> None:
    """Fifteen criteria, each with its looks-alike cases and a number, and examples that keep their own rule."""
    guideline = load_guideline("photo-quality")
    assert [c.id for c in guideline.criteria] == [f"PQ-{number:02d}" for number in range(1, 16)]
    for criterion in guideline.criteria:
        assert 2 <= len(criterion.flag_when) <= 4, criterion.id
        assert 2 <= len(criterion.do_not_flag_when) <= 4, criterion.id
        assert criterion.measures, criterion.id
        assert criterion.severity[Severity.CRITICAL].at_least is not None, criterion.id
        assert len(criterion.rationale.split()) <= guideline.rationale.max_words, criterion.id


@pytest.mark.parametrize("name", guideline_names())
def test_every_shipped_guideline_loads(name: str) -> None:
    assert load_guideline(name).id == name


def test_a_guideline_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_guideline(str(path)).id == "mine"


def _not_there(folder: Path) -> str:
    return str(folder / "none.yaml")


def _folder(folder: Path) -> str:
    (folder / "folder.yaml").mkdir()
    return str(folder / "folder.yaml")


def _latin(folder: Path) -> str:
    (folder / "latin.yaml").write_bytes(b"title: caf\xe9")
    return str(folder / "latin.yaml")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_not_there, "Check the path"),
        (_folder, "Check the path"),
        (_latin, "UTF-8"),
        (lambda _: "photo-qualty", 'Did you mean "photo-quality"?'),
        (lambda _: "zzz", "Built-in guidelines: edited-photo, generated-image, pcb, photo-quality"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(make: Callable[[Path], str], says: str, tmp_path: Path) -> None:
    with pytest.raises(GuidelineError, match=says.replace("?", r"\?")):
        load_guideline(make(tmp_path))


def test_missing_prompts_and_label_configs_are_named() -> None:
    with pytest.raises(PromptError, match=r"none\.md\.j2"):
        prompt_source("none.md.j2")
    with pytest.raises(LibraryError, match="review-copilot label-config --guideline none"):
        shipped_label_config("none")
