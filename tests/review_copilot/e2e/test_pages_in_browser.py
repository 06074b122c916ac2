"""The dashboard and the report in a real Chromium: accessible, self-contained, fit for a phone and for paper."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server

from builders import a_criterion, a_guideline, a_review, a_suggestion, a_task, task_key
from opened import opened
from pictures import scene
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Verdict
from review_copilot.domain.review import ProjectKey
from review_copilot.evaluation.evaluation import Drafted, evaluate
from review_copilot.evaluation.truth import Truth, TruthRegion
from review_copilot.flows.packed_log import reading_of_log
from review_copilot.flows.study_project import Scope, study_project
from review_copilot.flows.thumbnails import data_uri, marked
from review_copilot.reports.evaluation_html import to_html as evaluation_to_html
from review_copilot.reports.study_html import to_html
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from study_log import PHOTO, drafts, fill
from study_world import Plan

pytestmark = pytest.mark.browser

KEY = ProjectKey("http://127.0.0.1:9", 3, "1760000000")
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PAPER = {"width": 680, "height": 1009}
"""A4 within margins of 15 mm, in CSS pixels."""
EVALUATION = "evaluation.html"
"""A page of `review-copilot evaluate` beside the report."""
PAGES = (
    "/",
    "/?criterion=PQ-02",
    "/?until=2020-01-01",
    "/undrafted",
    "/reviewers",
    "/reviewer?reviewer=reviewer-2",
    "/?project=99",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The URL of a dashboard over a project with two flags and new patterns, and the same as one file."""
    folder: Path = tmp_path_factory.mktemp("pages")
    copilot = opened(
        load_settings(
            _env_file=None,
            database_url=f"sqlite:///{folder}/log.db",
            allow_anonymous=True,
            label_studio_url=KEY.instance,
        )
    )
    plans = [
        Plan(2, "model_wrong", 0.5, tasks=500, criteria=PHOTO[:6]),
        Plan(3, "uncovered", 0.4, tasks=200, criteria=PHOTO[:6]),
    ]
    fill(copilot.store, plans, project=KEY)
    copilot.store.remember(drafts(KEY))
    report = study_project(
        reading_of_log(copilot.store, KEY),
        copilot.store.draft_totals(KEY),
        project=KEY,
        guideline=copilot.guideline,
        scope=Scope(),
        clock=copilot.clock,
    )
    file = folder / "report.html"
    file.write_text(to_html(report), "utf-8")
    (folder / EVALUATION).write_text(evaluation_page(), "utf-8")
    server = make_server("127.0.0.1", 0, create_app(copilot.parts()), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/copilot", file
    server.shutdown()
    thread.join()
    server.server_close()
    copilot.store.close()


def evaluation_page() -> str:
    """Two setups that differ on one blind image."""
    guideline, key = a_guideline(a_criterion("PQ-01")), task_key(1)
    truth = Truth(a_task(1), "1.png", (TruthRegion("PQ-01", Box(0.1, 0.1, 0.2, 0.2)),), Verdict.FAIL, blind=True)
    reviews = (a_review("r1", a_suggestion(), key=key), a_review("r2", key=key, verdict=Verdict.PASS))
    setups = [Drafted(review.id, review.id, guideline, {1: review}) for review in reviews]
    crop = data_uri(marked(scene(), around=None, boxes=[Box(0.1, 0.1, 0.2, 0.2)]))
    return evaluation_to_html(evaluate([truth], setups, margin=0.02), crops={1: (crop, crop, crop)})


def violations(page: Page) -> list[str]:
    """What axe finds, with every closed part of the page opened first."""
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


def bypassing(browser: Browser, **options: object) -> BrowserContext:
    """A context in which axe may be put into a page whose policy allows no script."""
    return browser.new_context(bypass_csp=True, **options)  # type: ignore[arg-type]  # Playwright's own options


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_accessibility(place: tuple[str, Path], browser: Browser, scheme: str) -> None:
    url, file = place
    with bypassing(browser, viewport=DESKTOP, color_scheme=scheme) as context:
        page = context.new_page()
        for path in (*(url + path for path in PAGES), file.as_uri(), file.with_name(EVALUATION).as_uri()):
            page.goto(path)
            assert violations(page) == [], path


def test_pages_fit_a_phone(place: tuple[str, Path], browser: Browser) -> None:
    """Nothing makes the page scroll sideways, and what to do first is on the first screen."""
    url, file = place
    with browser.new_context(viewport=PHONE) as context:  # type: ignore[arg-type]  # a viewport
        page = context.new_page()
        for path in (*(url + path for path in PAGES), file.as_uri(), file.with_name(EVALUATION).as_uri()):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        page.goto(url + "/")
        first = page.locator(".todo > li").first.bounding_box()
        assert first is not None
        assert first["y"] + first["height"] < PHONE["height"]


def test_the_browser_asks_nobody_else_and_refuses_nothing(place: tuple[str, Path], browser: Browser) -> None:
    url, file = place
    with browser.new_context(viewport=DESKTOP) as context:  # type: ignore[arg-type]  # a viewport
        page = context.new_page()
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(url + "/")
        page.goto(file.as_uri())
        page.goto(file.with_name(EVALUATION).as_uri())
        own = url.removesuffix("/copilot")
        assert [address for address in asked if not address.startswith((own, "file:", "data:"))] == []
        assert said == []


def test_everything_is_reached_by_keyboard(place: tuple[str, Path], browser: Browser) -> None:
    """The first stop skips to the content; a flag's tasks open by Enter; the focus is always seen."""
    url, _ = place
    with browser.new_context(viewport=DESKTOP) as context:  # type: ignore[arg-type]  # a viewport
        page = context.new_page()
        page.goto(url + "/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.locator(".flag summary").first.focus()
        page.keyboard.press("Enter")
        assert page.locator(".flag details").first.get_attribute("open") is not None
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"


def test_filters_work_without_a_script(place: tuple[str, Path], browser: Browser) -> None:
    url, _ = place
    with browser.new_context(viewport=DESKTOP, java_script_enabled=False) as context:  # type: ignore[arg-type]  # a viewport
        page = context.new_page()
        page.goto(url + "/")
        page.get_by_label("Reviewer", exact=True).select_option("reviewer-2")
        page.get_by_role("button", name="Show").click()
        assert "only reviewer-2" in page.inner_text("main")


def test_the_report_prints_light_and_without_the_filters(place: tuple[str, Path], browser: Browser) -> None:
    url, _ = place
    with browser.new_context(viewport=PAPER, color_scheme="dark") as context:  # type: ignore[arg-type]  # a viewport
        page = context.new_page()
        page.goto(url + "/")
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert not page.locator("form.filters").is_visible()
        assert not page.locator("header.top").is_visible()
        assert len(page.pdf(format="A4")) > 10_000
