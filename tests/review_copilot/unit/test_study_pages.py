"""The report as pages: escaped, self-contained, and worded for somebody who has to decide."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest

from builders import PROJECT
from fake_clock import FakeClock
from fakes import MemoryStore
from review_copilot.domain.draft_totals import Cost, Drafts
from review_copilot.flows.packed_log import reading_of_log
from review_copilot.flows.study_project import ProjectStudy, Scope, study_project
from review_copilot.library import load_guideline
from review_copilot.reports import study_advice, study_charts, study_words
from review_copilot.reports.study_html import to_html
from review_copilot.reports.study_markdown import first_screen, plain, to_markdown
from review_copilot.study.criterion_rates import Confusion, RevisionChange, Week
from review_copilot.study.flags import Cause, Evidence, Flag, Outlook
from review_copilot.study.reviewer_differences import ACCEPTS
from study_log import PHOTO, drafts, fill
from study_world import Plan

GUIDELINE = load_guideline("photo-quality")
LINK = "http://label-studio.test"
EVIDENCE = Evidence(100, 30, 0.3, 0.22, 0.4, 0.1, 0.17, 90.0)
NASTY = '<script>alert("x")</script> | `y` [z](http://evil.test)'


def made(*plans: Plan, scope: Scope | None = None) -> ProjectStudy:
    store = MemoryStore()
    fill(store, plans, project=PROJECT)
    if plans:
        store.remember(drafts(PROJECT))
    report = study_project(
        reading_of_log(store, PROJECT),
        store.draft_totals(PROJECT),
        project=PROJECT,
        guideline=GUIDELINE,
        scope=scope or Scope(),
        clock=FakeClock(),
    )
    return replace(report, link=LINK)


@pytest.fixture(scope="module")
def report() -> ProjectStudy:
    return made(
        Plan(2, "model_wrong", 0.5, tasks=600, criteria=PHOTO[:6]),
        Plan(3, "uncovered", 0.4, tasks=200, criteria=PHOTO[:6]),
    )


def a_flag(confidence: float, *, reviews: int) -> Flag:
    return Flag(Cause.AMBIGUOUS, ("PQ-02",), confidence, "", replace(EVIDENCE, reviews=reviews))


class Parsed(HTMLParser):
    """Collects start tags with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_first_section_says_what_to_do_first(report: ProjectStudy) -> None:
    page = to_html(report)
    first = page.split("What to do first", 1)[1].split("</section>", 1)[0]
    flag = report.study.flags[0]
    assert study_advice.advice(flag, GUIDELINE).count in first
    assert "threshold" in first
    assert study_words.certainty(flag) in first


def test_the_file_needs_nothing_but_itself(report: ProjectStudy) -> None:
    """No script, no style from elsewhere, and a policy that would not load any; links lead to Label Studio only."""
    tags = Parsed(to_html(report)).tags
    assert not [tag for tag, _ in tags if tag in {"script", "iframe", "object", "form"}]
    assert not [attrs for _, attrs in tags if "style" in attrs or any(name.startswith("on") for name in attrs)]
    links = [str(attrs["href"]) for tag, attrs in tags if tag in {"a", "link"} and "href" in attrs]
    assert {link.split("/projects/")[0] for link in links if not link.startswith(("#", "data:"))} == {LINK}
    policy = [str(attrs["content"]) for tag, attrs in tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy[0].startswith("default-src 'none'")


def test_each_flag_links_to_its_tasks_and_cases(report: ProjectStudy) -> None:
    page = to_html(report)
    for flag in report.study.flags:
        assert len(flag.cases) == 3
        assert all(f"{LINK}/projects/{PROJECT.project_id}/data?task={task}" in page for task in flag.tasks)


def test_what_people_wrote_is_text_and_never_markup(report: ProjectStudy) -> None:
    flag = report.study.flags[0]
    cases = tuple(replace(case, why=NASTY) for case in flag.cases)
    pattern = report.study.novel_patterns[0]
    draft = replace(pattern.draft, label=NASTY, definition=NASTY, flag_when=(NASTY,))
    study = replace(
        report.study,
        flags=(replace(flag, summary=NASTY, cases=cases),),
        novel_patterns=(replace(pattern, name=NASTY, draft=draft),),
    )
    bad = replace(report, study=study)
    assert "<script" not in to_html(bad)
    assert "&lt;script&gt;" in to_html(bad)
    markdown = to_markdown(bad)
    assert "<script" not in markdown.replace("\\<script", "")
    assert "[z](" not in markdown


def test_markdown_sets_the_newest_revision_beside_the_one_before(report: ProjectStudy) -> None:
    assert "Since the last" not in to_markdown(report)
    change = RevisionChange("bbb", "aaa", -0.1, -0.2, 0.01)
    first, *rest = report.study.criteria
    revised = replace(report.study, criteria=(replace(first, change=change), *rest))
    said = to_markdown(replace(report, study=revised)).split("## Since the last guideline revision", 1)[1]
    assert "| aaa | bbb | −10 points | −20 points to +1 points |" in said


def test_without_a_flag_the_first_screen_still_names_what_is_worth_a_look(report: ProjectStudy) -> None:
    first, *rest = report.study.criteria
    assert first.standing is not None
    high = replace(
        first,
        outlook=Outlook(first.criterion, 0, ""),
        standing=replace(first.standing, rate_low=0.4, natural_high=0.2),
    )
    quiet = replace(report.study, flags=(), novel_patterns=(), criteria=())
    assert "Nothing to act on" in to_html(replace(report, study=quiet))
    page = to_html(replace(report, study=replace(report.study, flags=(), criteria=(high, *rest))))
    start = page.split("Tasks reviewed", 1)[0]
    assert "No flag, and something to look at" in start
    assert "High without a clear cause:</strong> PQ-01" in start
    assert report.study.novel_patterns[0].name in start


def test_markdown_tables_keep_their_columns(report: ProjectStudy) -> None:
    table = to_markdown(report).split("## Criterion by criterion", 1)[1].split("## ", 1)[0]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(report.study.criteria)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {11}
    assert plain("a|b\nc") == "a\\|b c"


def test_few_data_say_how_many_more_would_tell() -> None:
    page = to_html(made(Plan(5, tasks=40, criteria=PHOTO[:6])))
    assert "Too early to tell" in page
    assert re.search(r"Not enough reviews yet</strong> for \d+ of \d+ criteria: PQ-\d\d ", page)


def test_an_empty_log_gives_a_page_that_says_so() -> None:
    empty = made()
    assert "No reviews yet" in to_html(empty)
    assert "holds no annotation" in to_markdown(empty)


def test_without_a_link_tasks_are_named_all_the_same(report: ProjectStudy) -> None:
    page = to_html(replace(report, link=""))
    assert "/data?task=" not in page
    assert f"task&nbsp;{report.study.flags[0].cases[0].task}" in page


def test_cost_is_told_only_where_it_is_known(report: ProjectStudy) -> None:
    told = replace(report, drafts=replace(report.drafts, cost=Cost(10, 12, 5000, 4.0, 0)))
    assert told.cost is not None
    assert f"US$ {told.cost.usd_per_kept:.4f} for each" in to_html(told)
    free = replace(report, drafts=Drafts(3))
    assert "No usage is known" in to_html(free)


def test_criteria_that_nobody_examined_are_named(report: ProjectStudy) -> None:
    """A criterion without suggestions is not a criterion without flaws."""
    missing = replace(report, drafts=replace(report.drafts, tasks=40, unexamined={"PQ-06": 12, "PQ-02": 40}))
    said = "PQ-02 Motion blur in 40 of 40 drafts, PQ-06 Noise in 12 of 40 drafts"
    assert said in unescape(to_html(missing))
    assert said in to_markdown(missing)
    assert "Not examined" not in to_html(report)


@pytest.mark.parametrize(
    ("flag", "headline"),
    [
        (Flag(Cause.MODEL_WRONG, ("PQ-02",), 0.9, "", EVIDENCE), "Drafts of PQ-02 Motion blur are often wrong"),
        (
            Flag(Cause.MODEL_WRONG, ("PQ-02",), 0.9, "", replace(EVIDENCE, shared=9)),
            "agree that PQ-02 Motion blur is drafted wrongly",
        ),
        (Flag(Cause.MISSED, ("PQ-02",), 0.9, "", EVIDENCE), "draw PQ-02 Motion blur by hand"),
        (Flag(Cause.PLACE_VAGUE, ("PQ-02",), 0.9, "", EVIDENCE), "move the boxes of PQ-02 Motion blur"),
        (Flag(Cause.WORDING_DISLIKED, ("PQ-02",), 0.9, "", EVIDENCE), "rewrite the texts of PQ-02 Motion blur"),
        (Flag(Cause.RARE_POOLED, ("PQ-01", "PQ-02"), 0.9, "", EVIDENCE), "drafts of 2 rare criteria"),
        (
            Flag(Cause.BULK_HOURS, (), 0.9, "", replace(EVIDENCE, reviewer="7", hours=(19, 22))),
            "User 7 accepts nearly everything between 19:00 and 22:00 UTC",
        ),
        (
            Flag(Cause.FATIGUE, (), 0.9, "", replace(EVIDENCE, reviewer="Ada")),
            "Ada accepts more the longer a session lasts",
        ),
        (
            Flag(
                Cause.MODEL_CHANGE,
                ("PQ-01", "PQ-02"),
                0.9,
                "",
                replace(EVIDENCE, version="m2", changed_on="2026-03-04", rate_before=0.1, rate_after=0.4),
            ),
            "Since model m2 (4 Mar 2026), 2 criteria are worse: 10 % rejected before, 40 % now",
        ),
        (
            Flag(
                Cause.GUIDELINE_CHANGE,
                ("PQ-02",),
                0.9,
                "",
                replace(EVIDENCE, version="r2", changed_on="2026-03-04", rate_before=0.1, rate_after=0.4),
            ),
            "Since guideline revision r2 (4 Mar 2026), PQ-02 Motion blur is worse",
        ),
        (Flag(Cause.AMBIGUOUS, ("PQ-02",), 0.9, "", EVIDENCE), "Reviewers read PQ-02 Motion blur differently"),
        (Flag(Cause.UNCOVERED, (), 0.9, "", EVIDENCE), "flaws that no criterion covers"),
        (Flag(Cause.CONFUSED, ("PQ-01", "PQ-02"), 0.9, "", EVIDENCE), "PQ-01 Out of focus is often PQ-02"),
        (
            Flag(Cause.CONFUSED, ("PQ-01", "PQ-02"), 0.9, "", replace(EVIDENCE, there=9, back=4)),
            "PQ-01 Out of focus and PQ-02 Motion blur are taken for each other",
        ),
        (Flag(Cause.SEVERITY_VAGUE, ("PQ-02",), 0.9, "", EVIDENCE), "severity of PQ-02 Motion blur is unclear"),
        (
            Flag(
                Cause.DRIFT,
                ("PQ-02",),
                0.9,
                "",
                replace(EVIDENCE, rate_before=0.08, rate_after=0.25, changed_on="2026-03-12"),
            ),
            "PQ-02 Motion blur: rejections went from 8 % to 25 % about 12 Mar 2026",
        ),
        (
            Flag(Cause.REVIEWER, (), 0.9, "", replace(EVIDENCE, reviewer="7", behaviour=ACCEPTS)),
            "User 7 accepts nearly everything in seconds",
        ),
        (Flag(Cause.REVIEWER, (), 0.9, "", replace(EVIDENCE, reviewer="Ada")), "Ada rejects what others keep"),
    ],
)
def test_every_cause_has_its_headline_and_remedy(flag: Flag, headline: str) -> None:
    said = study_advice.advice(flag, GUIDELINE)
    assert headline in said.headline
    assert said.action.endswith((".", "?"))
    assert said.count.startswith("30 of 100")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (study_words.percent(0.004), "0.4 %"),
        (study_words.percent(math.nan), "–"),
        (study_words.points(-0.052), "−5 points"),
        (study_words.number(12345), "12\N{NARROW NO-BREAK SPACE}345"),
        (study_words.dollars(0.00001), "under US$ 0.0001"),
        (study_words.dollars(12.5), "US$ 12.50"),
        (study_words.seconds(300), "5 min"),
        (study_words.certainty(a_flag(0.999, reviews=300)), "very sure, over 99 %"),
        (study_words.certainty(a_flag(0.85, reviews=30)), "likely, 85 %"),
        (study_words.certainty(a_flag(0.96, reviews=16)), "likely, from only 16 decisions"),
        (study_words.certainty(a_flag(0.7, reviews=16)), "possible, from only 16 decisions"),
        (study_words.agreement_word(0.7), "tentative"),
        (study_words.name_of("uncovered", GUIDELINE), GUIDELINE.novel.label),
        (study_words.name_of("XX-1", GUIDELINE), "XX-1"),
    ],
)
def test_numbers_are_written_for_people(said: str, wanted: str) -> None:
    assert said == wanted


def test_a_week_without_decisions_interrupts_the_trend() -> None:
    weeks = [Week(i * 604800.0, n, n // 5, n) for i, n in enumerate((40, 50, 0, 60))]
    chart = study_charts.trend(weeks)
    assert chart.line.count("M") == 2
    assert (len(chart.points), len(chart.bars)) == (3, 4)
    assert all(44 <= mark.x <= 432 and 12 <= mark.y <= 150 for mark in chart.points)


def test_the_matrix_shades_by_the_greatest_count() -> None:
    chart = study_charts.matrix([Confusion("PQ-01", "PQ-02", 50), Confusion("PQ-02", "PQ-01", 10)])
    assert chart.names == ("PQ-01", "PQ-02")
    assert chart.cells == (((0, 0), (50, 5)), ((10, 1), (0, 0)))


def test_the_first_screen_is_plain_text_with_totals_and_what_to_do_first(report: ProjectStudy) -> None:
    text = first_screen(report)
    lines = text.splitlines()
    assert lines[0].startswith(f"Project {report.project.project_id}: ")
    assert "annotations" in text
    assert "What to do first" in lines
    assert "Criterion by criterion" not in text
    assert not set("*\\#") & set(text)
    assert text.endswith("\n")
