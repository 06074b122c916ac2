"""The dashboard through its doors: sign-in, headers, filters, and pages for each question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from opened import opened
from review_copilot.domain.review import ProjectKey
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from study_log import PHOTO, drafts, fill
from study_world import Plan

AUTH = ("copilot", "open sesame")
HOME = ProjectKey("http://127.0.0.1:9", 3, "1760000000")
IMPORTED = ProjectKey("an old export", 5, "")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder: Path = tmp_path_factory.mktemp("dashboard")
    copilot = opened(
        load_settings(
            _env_file=None,
            database_url=f"sqlite:///{folder}/log.db",
            password=AUTH[1],
            label_studio_url=HOME.instance,
            label_studio_link="https://label.example/ls",
        )
    )
    fill(copilot.store, [Plan(4, tasks=30, criteria=PHOTO[:3])], project=IMPORTED)
    fill(copilot.store, [Plan(2, "model_wrong", 0.5, tasks=500, criteria=PHOTO[:6])], project=HOME)
    copilot.store.remember(drafts(HOME))
    yield create_app(copilot.parts()).test_client()
    copilot.store.close()


def page(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(f"/copilot{path}", auth=AUTH)
    assert answer.status_code == status
    return answer.text


@pytest.mark.parametrize(
    "path",
    ["/", "/undrafted", "/reviewers", "/reviewer?reviewer=x", "/report.html", "/style.css", "/thumbnail/1?project=3"],
)
def test_strangers_see_nothing(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/copilot{path}")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert "PQ-" not in answer.text


def test_pages_allow_nothing_from_elsewhere(client: FlaskClient) -> None:
    answer = client.get("/copilot/", auth=AUTH)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "unsafe" not in policy
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")
    hosts = set(re.findall(r"(?:href|src|action)=\"(https?://[^/\"]+)", answer.text))
    assert hosts == {"https://label.example"}


def test_the_newest_project_is_shown_and_links_lead_into_label_studio(client: FlaskClient) -> None:
    text = page(client, "/")
    assert "Project 3: what reviewers override" in text
    assert 'href="https://label.example/ls/projects/3/data?task=' in text
    assert "drafted wrongly" in text


def test_an_imported_log_has_no_links(client: FlaskClient) -> None:
    text = page(client, "/?project=5")
    assert "Project 5: what reviewers override" in text
    assert "data?task=" not in text


def test_filters_narrow_the_page_and_stay_set(client: FlaskClient) -> None:
    text = page(client, "/?project=3&since=2026-03-10&until=2026-03-20&criterion=PQ-02&reviewer=reviewer-1")
    assert "reviews of 10 Mar 2026 to 20 Mar 2026" in text
    assert "only PQ-02 Motion blur · only reviewer-1" in text
    assert 'value="2026-03-10"' in text
    assert re.search(r'<option value="PQ-02" selected>', text)


def test_the_same_is_had_as_one_file(client: FlaskClient) -> None:
    answer = client.get("/copilot/report.html?project=3", auth=AUTH)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="project-3-overrides.html"'
    assert "<style>" in answer.text
    assert "<form" not in answer.text


def test_tasks_without_a_draft_are_listed_with_the_reason(client: FlaskClient) -> None:
    text = page(client, "/undrafted?project=3")
    for words in ("Nothing found: 1", "Failed: 1", "Not ready: 1", "Withheld: 1", "The image could not be fetched."):
        assert words in text


def test_reviewers_are_listed_by_name_and_never_ranked(client: FlaskClient) -> None:
    text = page(client, "/reviewers?project=3")
    names = re.findall(r">(reviewer-\d)</a>", text)
    assert names == sorted(names)
    assert len(names) == 6


def test_a_reviewer_has_a_page_of_their_own_overrides(client: FlaskClient) -> None:
    text = page(client, "/reviewer?project=3&reviewer=reviewer-2")
    assert "Own overrides by criterion" in text
    assert "PQ-02 Motion blur" in text
    others = text.split("</form>", 1)[1]
    assert not re.search(r"reviewer-[13456]", others)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/?project=99", "The log has no project 99."),
        ("/?since=yesterday", "“yesterday” is not a date."),
        ("/reviewer?project=3", "The URL names no reviewer."),
        ("/?project=<script>", "has no project &lt;script&gt;"),
    ],
)
def test_a_wrong_address_is_answered_with_a_page(client: FlaskClient, path: str, said: str) -> None:
    assert said in page(client, path, status=400)


def test_an_empty_store_says_how_to_begin(tmp_path: Path) -> None:
    copilot = opened(load_settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/log.db", allow_anonymous=True))
    answer = create_app(copilot.parts()).test_client().get("/copilot/")
    assert "review-copilot connect --project N" in answer.text
    copilot.store.close()


def test_a_thumbnail_that_cannot_be_had_says_so(client: FlaskClient) -> None:
    """No Label Studio answers there; neither does the log know that row."""
    for row in (1, 10**9):
        answer = client.get(f"/copilot/thumbnail/{row}?project=3", auth=AUTH)
        assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
        assert "No picture" in answer.text
