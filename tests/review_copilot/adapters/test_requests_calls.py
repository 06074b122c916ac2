"""Calls that go out by `requests`: what they send, and what comes of answers that a real server seldom gives."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import responses

from command_line import Done, typed
from review_copilot.demo.child_process import end_group, wait_until_answering
from review_copilot.demo.label_studio_server import (
    Account,
    LabelStudioServer,
    ServerOptions,
    personal_token,
    sign_up,
    signed_in,
)
from review_copilot.demo.scripted_reviewer import ScriptedReviewer
from review_copilot.errors import DemoFailed, LabelStudioAuthError

STATUS = "http://127.0.0.1:9190/status"
LABEL_STUDIO = "http://label-studio.test"
SERVER = LabelStudioServer(LABEL_STUDIO, ServerOptions(), 1, Path("label-studio.log"))


@pytest.fixture
def answers() -> Iterator[responses.RequestsMock]:
    """Answers by address; an address that is not among them, or is never asked, fails the test."""
    with responses.RequestsMock() as mock:
        yield mock


class TestStatus:
    """`review-copilot status`."""

    @staticmethod
    def typed(folder: Path) -> Done:
        return typed("status", cwd=folder, REVIEW_COPILOT_PORT="9190", REVIEW_COPILOT_PASSWORD="secret")

    def test_signs_in_and_shows_every_field(self, answers: responses.RequestsMock, tmp_path: Path) -> None:
        answers.get(STATUS, json={"version": "1", "inspector": "builtin", "log_lag_s": 1.5})
        done = self.typed(tmp_path)
        assert done.returncode == 0, done.stderr
        assert "log lag s" in done.stdout
        assert "1.5" in done.stdout
        kind, _, sent = answers.calls[0].request.headers["Authorization"].partition(" ")
        assert kind == "Basic"
        assert base64.b64decode(sent).decode().endswith(":secret")

    @pytest.mark.parametrize(
        ("answer", "wrong", "fix"),
        [
            ({"status": 401}, "rejects the password in your settings", "REVIEW_COPILOT_PASSWORD"),
            ({"status": 404}, "is not Review Copilot: something else answered (HTTP 404)", "PUBLIC_URL"),
            ({"status": 503}, "is not Review Copilot: something else answered (HTTP 503)", "PUBLIC_URL"),
            ({"status": 503, "json": {"error": "The disk is full."}}, "failed (HTTP 503): The disk is full.", "log"),
            ({"body": requests.ConnectionError("refused")}, "cannot be reached", "review-copilot serve"),
            ({"body": requests.ConnectTimeout("slow")}, "cannot be reached", "review-copilot serve"),
            ({"body": requests.ReadTimeout("slow")}, "did not respond within 10 s", "review-copilot serve"),
            ({"body": requests.TooManyRedirects("round and round")}, "cannot be reached", "review-copilot serve"),
            ({"body": "<html>Another program</html>"}, "is not Review Copilot", "PUBLIC_URL"),
            ({"body": ""}, "is not Review Copilot", "PUBLIC_URL"),
        ],
        ids=["401", "404", "503", "failed", "refused", "no connection", "no answer", "redirects", "a page", "nothing"],
    )
    def test_says_what_is_wrong_and_how_to_fix_it(
        self, answers: responses.RequestsMock, tmp_path: Path, answer: dict[str, object], wrong: str, fix: str
    ) -> None:
        answers.get(STATUS, **answer)
        done = self.typed(tmp_path)
        assert done.returncode != 0
        assert f"The backend at http://127.0.0.1:9190 {wrong}" in done.stderr
        assert fix in done.stderr
        assert "Traceback" not in done.stderr
        assert "secret" not in done.stderr


class TestForms:
    """Label Studio's web forms, as the demo fills them in."""

    @pytest.mark.parametrize(("path", "fill_in"), [("/user/login/", signed_in), ("/user/signup/", sign_up)])
    def test_are_sent_with_the_token_that_the_page_set(
        self, answers: responses.RequestsMock, path: str, fill_in: type
    ) -> None:
        page = f"{LABEL_STUDIO}{path}"
        answers.get(page, headers={"Set-Cookie": "csrftoken=before; Path=/"})
        form = {"email": "ann@example.org", "password": "long enough", "csrfmiddlewaretoken": "before"}
        answers.post(
            page,
            status=302,
            headers={"Set-Cookie": "csrftoken=after; Path=/", "Location": "/projects"},
            match=[responses.matchers.urlencoded_params_matcher(form), _referred_by(page)],
        )
        with fill_in(SERVER, Account("ann@example.org", "long enough")) as session:
            assert session.headers["X-CSRFToken"] == "after"
            assert session.headers["Referer"] == LABEL_STUDIO

    def test_that_are_shown_again_were_not_taken(self, answers: responses.RequestsMock) -> None:
        answers.get(f"{LABEL_STUDIO}/user/login/")
        answers.post(f"{LABEL_STUDIO}/user/login/", status=200, body="Wrong password")
        with pytest.raises(LabelStudioAuthError, match=r"rejected reviewer@example.org at /user/login/"):
            signed_in(SERVER)

    def test_that_cannot_be_read_are_an_error(self, answers: responses.RequestsMock) -> None:
        answers.get(f"{LABEL_STUDIO}/user/login/", status=502)
        with pytest.raises(requests.HTTPError):
            signed_in(SERVER)

    @pytest.mark.parametrize(("status", "made"), [(201, True), (409, False), (200, False)])
    def test_a_personal_token_is_made_once(self, answers: responses.RequestsMock, status: int, *, made: bool) -> None:
        answers.get(f"{LABEL_STUDIO}/user/login/")
        answers.post(f"{LABEL_STUDIO}/user/login/", status=302)
        answers.post(f"{LABEL_STUDIO}/api/token/", status=status, json={"token": "a.b.c"})
        if made:
            assert personal_token(SERVER) == "a.b.c"
        else:
            with pytest.raises(LabelStudioAuthError, match=f"HTTP {status}") as error:
                personal_token(SERVER)
            assert "Revoke" in error.value.hint


def _referred_by(page: str) -> object:
    return responses.matchers.header_matcher({"Referer": page})


class TestWaiting:
    """Waiting for a program that was started."""

    URL = "http://127.0.0.1:9/health"

    @pytest.fixture
    def sleeper(self) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
        yield process
        end_group(process)

    def wait(self, process: subprocess.Popen[bytes], *, within_s: float) -> None:
        wait_until_answering(
            self.URL, process, name="The server", within_s=within_s, log=Path("a.log"), log_end=lambda: "last words"
        )

    def test_ends_with_the_first_good_answer(
        self, answers: responses.RequestsMock, sleeper: subprocess.Popen[bytes]
    ) -> None:
        answers.get(self.URL, body=requests.ConnectionError("refused"))
        answers.get(self.URL, status=503)
        answers.get(self.URL, body=requests.ReadTimeout("slow"))
        answers.get(self.URL, status=200)
        self.wait(sleeper, within_s=60)
        assert len(answers.calls) == 4

    def test_says_every_few_seconds_that_it_still_waits(
        self, answers: responses.RequestsMock, sleeper: subprocess.Popen[bytes]
    ) -> None:
        answers.get(self.URL, status=503)
        said: list[str] = []
        with pytest.raises(DemoFailed, match="did not respond"):
            wait_until_answering(
                self.URL, sleeper, name="The server", within_s=0.5, log=Path("a.log"), log_end=str, say=said.append,
                say_every_s=0.2,
            )  # fmt: skip
        assert 1 <= len(said) <= 2
        assert all(line.endswith("s  The server is still starting ...") for line in said)

    def test_ends_when_the_program_does(self, answers: responses.RequestsMock) -> None:
        """An answer of somebody else on the same port does not count."""
        answers.assert_all_requests_are_fired = False
        answers.get(self.URL, status=200)
        process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], start_new_session=True)
        process.wait()
        with pytest.raises(DemoFailed, match=r"exited with code 3 before it was ready:\nlast words") as error:
            self.wait(process, within_s=60)
        assert "a.log" in error.value.hint
        assert not answers.calls

    def test_ends_after_some_time_with_what_was_said(
        self, answers: responses.RequestsMock, sleeper: subprocess.Popen[bytes]
    ) -> None:
        answers.get(self.URL, status=503)
        with pytest.raises(DemoFailed, match=r"did not respond at .* within 0 s:\nlast words"):
            self.wait(sleeper, within_s=0.3)


class TestScriptedReviewer:
    """What a scripted reviewer sends."""

    REVIEWER = ScriptedReviewer(LABEL_STUDIO, requests.Session())

    def test_reads_tasks_by_rising_id(self, answers: responses.RequestsMock) -> None:
        asked = {"project": "7", "fields": "all", "page_size": "1000"}
        answers.get(
            f"{LABEL_STUDIO}/api/tasks",
            json={"tasks": [{"id": 12}, {"id": 9}]},
            match=[responses.matchers.query_param_matcher(asked)],
        )
        assert [task["id"] for task in self.REVIEWER.tasks(7)] == [9, 12]

    @pytest.mark.parametrize(("predictions", "parent"), [([{"id": 5}, {"id": 6}], 5), ([], None)])
    def test_submits_an_annotation_that_began_from_the_first_prediction(
        self, answers: responses.RequestsMock, predictions: list[dict[str, int]], parent: int | None
    ) -> None:
        sent = {"result": [{"id": "s1"}], "lead_time": 3.5, "parent_prediction": parent}
        answers.post(
            f"{LABEL_STUDIO}/api/tasks/9/annotations",
            status=201,
            json={"id": 44},
            match=[responses.matchers.json_params_matcher(sent)],
        )
        task = {"id": 9, "predictions": predictions}
        assert self.REVIEWER.submit(task, [{"id": "s1"}], lead_time_s=3.5) == 44

    def test_a_refusal_is_an_error(self, answers: responses.RequestsMock) -> None:
        answers.post(f"{LABEL_STUDIO}/api/tasks/9/annotations", status=400)
        answers.get(f"{LABEL_STUDIO}/api/tasks", status=401)
        with pytest.raises(requests.HTTPError):
            self.REVIEWER.submit({"id": 9, "predictions": []}, [])
        with pytest.raises(requests.HTTPError):
            self.REVIEWER.tasks(7)
