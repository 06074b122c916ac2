"""The Label Studio that the demo and all end-to-end tests stand on."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from review_copilot.demo import label_studio_server as ls
from review_copilot.errors import DemoFailed

pytestmark = pytest.mark.labelstudio


def _bearer(url: str, refresh: str) -> dict[str, str]:
    access = requests.post(f"{url}/api/token/refresh/", json={"refresh": refresh}, timeout=30).json()["access"]
    return {"Authorization": f"Bearer {access}"}


def test_answers_both_kinds_of_token(label_studio: ls.LabelStudioServer, personal_token: str) -> None:
    projects = f"{label_studio.url}/api/projects/"
    legacy = {"Authorization": f"Token {label_studio.account.legacy_token}"}
    assert requests.get(projects, headers=legacy, timeout=30).status_code == 200
    assert requests.get(projects, headers=_bearer(label_studio.url, personal_token), timeout=30).status_code == 200


def test_a_fresh_installation_takes_personal_tokens_only(
    fresh_label_studio: ls.LabelStudioServer, fresh_personal_token: str
) -> None:
    projects = f"{fresh_label_studio.url}/api/projects/"
    legacy = {"Authorization": f"Token {fresh_label_studio.account.legacy_token}"}
    refused = requests.get(projects, headers=legacy, timeout=30)
    assert refused.status_code == 401
    assert "legacy token authentication has been disabled" in refused.json()["detail"]
    personal = _bearer(fresh_label_studio.url, fresh_personal_token)
    assert requests.get(projects, headers=personal, timeout=30).status_code == 200


def test_a_second_account_signs_up_and_in(label_studio: ls.LabelStudioServer) -> None:
    account = ls.Account(email="second@example.org")
    ls.sign_up(label_studio, account).close()
    with ls.signed_in(label_studio, account) as session:
        who = session.get(f"{label_studio.url}/api/current-user/whoami", timeout=30).json()
    assert who["email"] == "second@example.org"


def test_a_start_that_fails_shows_the_log_without_secrets(tmp_path: Path) -> None:
    """A stand-in for the command prints its password and ends: the reason is shown, the password is not."""
    command = tmp_path / "bin" / "label-studio"
    command.parent.mkdir()
    command.write_text('#!/bin/sh\necho "no space left; $LABEL_STUDIO_PASSWORD"\nexit 3\n')
    command.chmod(0o755)
    with (
        pytest.raises(DemoFailed, match=r"(?s)exited with code 3.*no space left; \*\*\*"),
        ls.running(tmp_path, data=tmp_path / "data", options=ls.ServerOptions()),
    ):
        pass
