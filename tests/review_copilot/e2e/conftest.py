"""Fixtures of the end-to-end tests: a copilot with its backend, and a browser, once for the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from editor import PATIENCE_MS, NoBrowser, browser_is_a_must, launch, signed_in_page
from review_copilot.demo import label_studio_server as ls
from workplace import Workplace, workplace


@pytest.fixture(scope="session")
def workplace_in_use(
    label_studio: ls.LabelStudioServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workplace]:
    """A copilot on the shared server, its backend running as long as the tests."""
    folder = tmp_path_factory.mktemp("office")
    with workplace(label_studio, token=label_studio.account.legacy_token, folder=folder) as made, made.backend():
        yield made


@pytest.fixture(scope="session")
def personal_tokens_only(
    label_studio_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ls.LabelStudioServer]:
    """A server without legacy tokens, as a fresh installation is, that may call the backend on loopback."""
    data = tmp_path_factory.mktemp("personal-label-studio")
    options = ls.ServerOptions(legacy_tokens=False, private_addresses=True)
    with ls.running(label_studio_environment, data=data, options=options) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium; where there is none the browser tests are skipped, and in continuous integration they fail."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        try:
            started = launch(playwright)
        except NoBrowser as error:
            if browser_is_a_must():
                pytest.fail(f"CI is set and there is {error}")
            pytest.skip(f"BROWSER TESTS DID NOT RUN: {error}")
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, label_studio: ls.LabelStudioServer, tmp_path: Path) -> Iterator[Page]:
    """A page of the shared server in a fresh profile, signed in as its first account; its last sight is kept."""
    with signed_in_page(browser, label_studio.url, label_studio.account) as opened:
        yield opened
        opened.screenshot(path=tmp_path / "last.png")
