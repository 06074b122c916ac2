"""Fixtures that several folders share: a real Label Studio and a real PostgreSQL, once for all, and empty databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from fake_clock import FakeClock
from postgres import fresh_database, running_postgres
from review_copilot.demo import label_studio_server as ls
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.transport import Transport
from review_copilot.store import SqlStore, open_store

settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")  # a busy machine is no failure

ENVIRONMENT_VARIABLE = "REVIEW_COPILOT_TEST_LABEL_STUDIO_ENV"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--label-studio-env",
        type=Path,
        default=Path(os.environ.get(ENVIRONMENT_VARIABLE) or Path(__file__).parents[1] / ".label-studio"),
        help="Virtual environment with Label Studio, or a folder to make one in (default: .label-studio).",
    )


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the data folder of the person who runs it, or that of another test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the tests."""
    with running_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    return fresh_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """A store on a database of each kind."""
    opened = open_store(url, clock=FakeClock())
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def label_studio_environment(pytestconfig: pytest.Config) -> Path:
    """An environment that Label Studio can be started from."""
    home: Path = pytestconfig.getoption("--label-studio-env")
    return ls.install(home.absolute(), say=print)


@pytest.fixture(scope="session")
def label_studio(
    label_studio_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ls.LabelStudioServer]:
    """One server for the whole run that takes both kinds of token and may call loopback addresses."""
    data = tmp_path_factory.mktemp("label-studio")
    with ls.running(label_studio_environment, data=data, options=ls.ServerOptions()) as server:
        yield server


@pytest.fixture(scope="session")
def fresh_label_studio(
    label_studio_environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ls.LabelStudioServer]:
    """A server as a fresh installation leaves it: personal access tokens only, private addresses refused."""
    data = tmp_path_factory.mktemp("fresh-label-studio")
    options = ls.ServerOptions(legacy_tokens=False, private_addresses=False)
    with ls.running(label_studio_environment, data=data, options=options) as server:
        yield server


@pytest.fixture(scope="session")
def personal_token(label_studio: ls.LabelStudioServer) -> str:
    """The personal access token of the shared server's first account, made once."""
    return ls.personal_token(label_studio)


@pytest.fixture(scope="session")
def fresh_personal_token(fresh_label_studio: ls.LabelStudioServer) -> str:
    """The personal access token of the fresh server's first account, made once."""
    return ls.personal_token(fresh_label_studio)


@pytest.fixture(scope="session")
def label_studio_client(label_studio: ls.LabelStudioServer) -> Iterator[LabelStudioClient]:
    """A client of the shared server, by its legacy token."""
    with LabelStudioClient(Transport(label_studio.url, label_studio.account.legacy_token)) as client:
        yield client
