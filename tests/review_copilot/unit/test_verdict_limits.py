"""Limits of the verdict and the summary, each from both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import a_criterion, a_guideline, a_suggestion
from review_copilot.domain.guideline import UNCOVERED, Severity, Verdict, VerdictRule
from review_copilot.domain.suggestion import Suggestion
from review_copilot.suggest.verdict import MOST_NAMED, decide, summarise, unexamined_criteria, with_coverage

GUIDELINE = a_guideline(a_criterion("C-01", label="Soft"), a_criterion("C-02", label="Noise"))
BOTH = frozenset({"C-01", "C-02"})


class TestVerdict:
    """The rule of a guideline, applied to suggestions. It fails with two major flaws, and discusses with one."""

    RULED = replace(
        GUIDELINE,
        verdict=VerdictRule("", fail={"critical": 1, "major": 2}, discuss={"major": 1, "minor": 3, UNCOVERED: 2}),
    )
    MINOR, MAJOR, CRITICAL = (a_suggestion(severity=severity) for severity in Severity)
    NOVEL = a_suggestion(criterion_id=UNCOVERED, severity=Severity.MINOR)

    @pytest.mark.parametrize(
        ("found", "verdict"),
        [
            ((), Verdict.PASS),
            ((MINOR, MINOR), Verdict.PASS),
            ((MINOR, MINOR, MINOR), Verdict.DISCUSS),
            ((MAJOR,), Verdict.DISCUSS),
            ((MAJOR, MAJOR), Verdict.FAIL),
            ((CRITICAL,), Verdict.FAIL),
            ((NOVEL,), Verdict.PASS),
            ((NOVEL, NOVEL), Verdict.DISCUSS),
        ],
    )
    def test_counts_each_severity_from_its_least_number(self, found: tuple[Suggestion, ...], verdict: Verdict) -> None:
        assert decide(found, self.RULED) is verdict

    @pytest.mark.parametrize(
        ("found", "rule", "counted"),
        [
            ((CRITICAL,), {"major": 1}, True),
            ((CRITICAL,), {"minor": 1}, True),
            ((MAJOR,), {"minor": 1}, True),
            ((MAJOR,), {"critical": 1}, False),
            ((MINOR,), {"major": 1}, False),
            ((MINOR,), {"critical": 1}, False),
            ((CRITICAL, MAJOR), {"minor": 2}, True),
            ((CRITICAL, MAJOR), {"minor": 3}, False),
        ],
    )
    def test_a_worse_flaw_counts_as_each_milder_one_and_never_the_other_way(
        self, found: tuple[Suggestion, ...], rule: dict[str, int], *, counted: bool
    ) -> None:
        ruled = replace(GUIDELINE, verdict=VerdictRule("", fail=rule, discuss={}))
        assert decide(found, ruled) is (Verdict.FAIL if counted else Verdict.PASS)

    @pytest.mark.parametrize(("score", "verdict"), [(0.5, Verdict.FAIL), (0.499, Verdict.DISCUSS)])
    def test_an_unsure_flaw_does_not_fail_an_image(self, score: float, verdict: Verdict) -> None:
        assert decide([replace(self.CRITICAL, score=score)], self.RULED, sure_from=0.5) is verdict

    def test_an_unsure_flaw_that_would_not_change_the_verdict_changes_nothing(self) -> None:
        sure, unsure = replace(self.CRITICAL, score=0.9), replace(self.CRITICAL, score=0.1)
        assert decide([sure, unsure], self.RULED, sure_from=0.5) is Verdict.FAIL
        assert decide([replace(self.MINOR, score=0.1)], self.RULED, sure_from=0.5) is Verdict.PASS

    def test_an_image_passes_only_where_every_criterion_was_examined(self) -> None:
        assert decide((), self.RULED, complete=False) is Verdict.DISCUSS
        assert decide((self.CRITICAL,), self.RULED, complete=False) is Verdict.FAIL

    def test_what_nobody_examined_is_in_the_guidelines_order(self) -> None:
        assert unexamined_criteria(GUIDELINE, {"C-01"}) == ("C-02",)
        assert unexamined_criteria(GUIDELINE, ()) == ("C-01", "C-02")
        assert unexamined_criteria(GUIDELINE, BOTH) == ()


class TestSummary:
    """The words of a summary."""

    SOFT = a_suggestion(label="Soft", severity=Severity.MAJOR, score=0.5)
    NOISE = a_suggestion(label="Noise", severity=Severity.MINOR, score=0.9)
    DUST = a_suggestion(label="Dust", severity=Severity.MINOR, score=0.8)

    @pytest.mark.parametrize(
        ("found", "verdict", "words"),
        [
            ((), Verdict.PASS, "No flaw found that the guideline asks to flag."),
            ((NOISE,), Verdict.PASS, "Usable despite noise (minor)."),
            ((NOISE, SOFT), Verdict.FAIL, "Not usable because of soft (major) and noise (minor)."),
            (
                (DUST, NOISE, SOFT),
                Verdict.DISCUSS,
                "To discuss: soft (major), noise (minor) and dust (minor).",
            ),
            ((DUST, DUST), Verdict.PASS, "Usable despite dust (minor, 2 places)."),
        ],
    )
    def test_names_the_worst_first(self, found: tuple[Suggestion, ...], verdict: Verdict, words: str) -> None:
        assert summarise(found, verdict) == words

    def covered(self, *unexamined: str, summary: str = "", found: tuple[Suggestion, ...] = ()) -> str:
        return with_coverage(
            summary, guideline=GUIDELINE, unexamined=unexamined, suggestions=found, verdict=Verdict.DISCUSS
        )

    def test_begins_with_what_nobody_examined(self) -> None:
        assert self.covered() == "No flaw found that the guideline asks to flag."
        assert self.covered(summary="Own.") == "Own."
        assert self.covered("C-01", summary="Own.") == "Not examined: soft. No flaw found in the other 1 criterion."
        assert self.covered("C-02", found=(self.SOFT,)) == "Not examined: noise. To discuss: soft (major)."
        assert self.covered("C-02", summary="Own.", found=(self.SOFT,)) == "Not examined: noise. Own."

    def test_says_when_nothing_was_examined_at_all(self) -> None:
        assert self.covered("C-01", "C-02") == "Not examined: all 2 criteria."
        assert self.covered("C-01", "C-02", found=(self.SOFT,)) == (
            "Not examined: all 2 criteria. To discuss: soft (major)."
        )

    @pytest.mark.parametrize(
        ("missing", "words"),
        [
            (6, "Not examined: f0, f1, f2, f3, f4, f5. No flaw found in the other 4 criteria."),
            (7, "Not examined: f0, f1, f2, f3, f4, f5 and 1 more. No flaw found in the other 3 criteria."),
        ],
    )
    def test_names_six_and_counts_the_others(self, missing: int, words: str) -> None:
        ten = a_guideline(*(a_criterion(f"C-{i}", label=f"F{i}") for i in range(10)))
        unexamined = tuple(f"C-{i}" for i in range(missing))
        found = with_coverage("", guideline=ten, unexamined=unexamined, suggestions=(), verdict=Verdict.DISCUSS)
        assert found == words
        assert MOST_NAMED == 6
