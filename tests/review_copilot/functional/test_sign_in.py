"""Who may send requests: guesses of the password, users of a proxy, and the secrets of single projects' webhooks."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from opened import OpenedCopilot, opened
from review_copilot.errors import SettingsError
from review_copilot.flows.webhook_secrets import derived_secret
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from review_copilot.web.sign_in_throttle import GUESSES_PER_ACCOUNT, GUESSES_PER_ADDRESS, SignInThrottle

PASSWORD = "open sesame"
RIGHT = ("copilot", PASSWORD)
STRANGER, LABEL_STUDIO, PROXY = "203.0.113.9", "192.0.2.4", "10.0.0.5"
USER = {"X-Forwarded-User": "ann"}


@pytest.fixture
def copilot(tmp_path: Path) -> Iterator[OpenedCopilot]:
    made = opened(
        load_settings(
            _env_file=None,
            database_url=f"sqlite:///{tmp_path}/log.db",
            password=PASSWORD,
            trusted_proxies=(PROXY,),
            user_header="X-Forwarded-User",
        )
    )
    yield made
    made.close()


@pytest.fixture
def client(copilot: OpenedCopilot) -> FlaskClient:
    return create_app(copilot.parts()).test_client()


def status(
    client: FlaskClient,
    *,
    auth: tuple[str, str] | None = None,
    address: str = LABEL_STUDIO,
    headers: dict[str, str] | None = None,
) -> TestResponse:
    return client.get("/status", auth=auth, headers=headers, environ_base={"REMOTE_ADDR": address})


def notify(client: FlaskClient, secret: str, *, project_id: int) -> int:
    body = json.dumps({"action": "ANNOTATION_CREATED", "annotation": {"id": 1, "task": 2}, "project": project_id})
    return client.post("/webhook", data=body, headers={SECRET_HEADER: secret}).status_code


def test_an_address_that_guesses_waits_and_others_do_not(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    guesses = [f"guess {number}" for number in range(GUESSES_PER_ADDRESS)]
    assert {status(client, auth=("copilot", guess), address=STRANGER).status_code for guess in guesses} == {401}
    refused = status(client, auth=RIGHT, address=STRANGER)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert status(client, auth=RIGHT).status_code == 200
    lines = [record.getMessage() for record in caplog.records if "sign-in" in record.getMessage()]
    assert len(lines) == GUESSES_PER_ADDRESS + 1
    assert f"failed sign-in from {STRANGER} with the known username at /status" in lines
    assert not any("guess" in line for line in lines)


def test_an_outdated_password_of_one_project_does_not_block_the_others(client: FlaskClient) -> None:
    old = {status(client, auth=("copilot", "last year's")).status_code for _ in range(3 * GUESSES_PER_ADDRESS)}
    assert old == {401}
    assert status(client, auth=RIGHT).status_code == 200


def test_guesses_from_many_addresses_wait_and_label_studio_does_not(client: FlaskClient) -> None:
    assert status(client, auth=RIGHT).status_code == 200
    for number in range(GUESSES_PER_ACCOUNT):
        status(client, auth=("copilot", f"guess {number}"), address=f"198.51.100.{number}")
    assert status(client, auth=RIGHT, address="198.51.100.250").status_code == 429
    assert status(client, auth=RIGHT).status_code == 200


def test_a_wait_ends_and_one_ipv6_network_counts_as_one_address() -> None:
    now = 0.0
    throttle = SignInThrottle(now=lambda: now)
    for number in range(GUESSES_PER_ADDRESS):
        throttle.failed(f"2001:db8::{number:x}", "copilot", str(number))
    assert throttle.wait_s("2001:db8::ffff", "copilot") == pytest.approx(300)
    assert throttle.wait_s("2001:db8:0:1::1", "copilot") == 0
    now = 301.0
    assert throttle.wait_s("2001:db8::1", "copilot") == 0


def test_guesses_through_a_trusted_proxy_count_for_the_address_behind_it(client: FlaskClient) -> None:
    for number in range(GUESSES_PER_ADDRESS):
        forged = {"X-Forwarded-For": f"{LABEL_STUDIO}, {STRANGER}"}  # the client wrote the first one itself
        status(client, auth=("copilot", f"guess {number}"), address=PROXY, headers=forged)
    assert status(client, auth=RIGHT, address=PROXY, headers={"X-Forwarded-For": STRANGER}).status_code == 429
    assert status(client, auth=RIGHT, address=PROXY, headers={"X-Forwarded-For": LABEL_STUDIO}).status_code == 200


def test_a_user_of_the_trusted_proxy_reads_pages_and_sends_nothing(client: FlaskClient) -> None:
    assert status(client, address=PROXY, headers=USER).status_code == 200
    assert client.get("/copilot/", headers=USER, environ_base={"REMOTE_ADDR": PROXY}).status_code != 401
    posted = client.post("/predict", json={}, headers=USER, environ_base={"REMOTE_ADDR": PROXY})
    assert posted.status_code == 401


@pytest.mark.parametrize("headers", [USER, {**USER, "X-Forwarded-For": PROXY}, {"X-Forwarded-User": " "}])
def test_a_user_header_from_elsewhere_counts_for_nothing(client: FlaskClient, headers: dict[str, str]) -> None:
    assert status(client, address=STRANGER, headers=headers).status_code == 401


def test_without_the_setting_no_header_signs_in(tmp_path: Path) -> None:
    made = opened(load_settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/log.db", password=PASSWORD))
    try:
        assert status(create_app(made.parts()).test_client(), address="127.0.0.1", headers=USER).status_code == 401
    finally:
        made.close()


@pytest.mark.parametrize(
    ("proxies", "needle"),
    [((), "no proxy is trusted"), (("0.0.0.0/0",), "every address"), (("nginx",), "not an address")],
)
def test_settings_that_would_let_anyone_in_are_rejected(tmp_path: Path, proxies: tuple[str, ...], needle: str) -> None:
    settings = {"password": PASSWORD, "trusted_proxies": proxies, "user_header": "X-Forwarded-User"}
    made = opened(load_settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/log.db", **settings))
    try:
        with pytest.raises(SettingsError, match=needle):
            create_app(made.parts())
    finally:
        made.close()


def test_each_project_has_its_own_secret_and_the_database_has_none(client: FlaskClient, copilot: OpenedCopilot) -> None:
    secrets = copilot.process.webhook_secrets
    seven, eight = secrets.create(7), secrets.create(8)
    assert notify(client, seven, project_id=7) == 200
    assert notify(client, eight, project_id=8) == 200
    assert notify(client, seven, project_id=8) == 401
    assert notify(client, "", project_id=7) == 401
    deleted = {"action": "TASKS_DELETED", "tasks": [{"id": 2}]}
    assert client.post("/webhook", json=deleted, headers={SECRET_HEADER: eight}).status_code == 200
    assert [notice.project_id for notice in copilot.store.waiting()] == [7, 8, 8], "a body without a project"
    with copilot.store.database.reading() as connection:
        stored = str(connection.execute(sa.text("SELECT * FROM webhook_secrets")).all())
    assert len(stored) > 100
    assert seven not in stored
    assert eight not in stored


def test_a_derived_secret_works_until_the_project_uses_its_own(client: FlaskClient, copilot: OpenedCopilot) -> None:
    old, secrets = derived_secret(PASSWORD), copilot.process.webhook_secrets
    assert notify(client, old, project_id=7) == 200
    new = secrets.create(7)  # Label Studio does not have it yet
    assert notify(client, old, project_id=7) == 200
    secrets.keep(7, [new])
    assert notify(client, old, project_id=7) == 401
    assert notify(client, new, project_id=7) == 200
    assert notify(client, old, project_id=8) == 200


def test_secrets_of_the_projects_other_webhooks_stay(copilot: OpenedCopilot) -> None:
    """Such as those of a second backend on the same database, under another URL."""
    secrets = copilot.process.webhook_secrets
    first, second, replaced = (secrets.create(7) for _ in range(3))
    secrets.keep(7, [first, second, "someone else's"])
    assert [bool(secrets.projects_of(one)) for one in (first, second, replaced, "someone else's")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_unknown_secrets_are_logged_and_block_nobody(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """After a database was lost, every project's webhook sends an unknown secret, from Label Studio's address."""
    with caplog.at_level(logging.WARNING):
        assert {notify(client, f"unknown {number}", project_id=number + 1) for number in range(50)} == {401}
    lines = [record for record in caplog.records if "an unknown webhook secret" in record.getMessage()]
    assert len(lines) == GUESSES_PER_ADDRESS
    assert status(client, auth=RIGHT, address="127.0.0.1").status_code == 200
