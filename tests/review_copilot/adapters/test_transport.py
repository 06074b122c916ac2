"""The HTTP road to Label Studio, against a server that answers as each test says."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable

import pytest

from review_copilot.errors import (
    LabelStudioAuthError,
    LabelStudioError,
    LabelStudioNotFound,
    LabelStudioRefusesAddress,
    LabelStudioUnreachable,
    SettingsError,
)
from review_copilot.labelstudio.transport import TokenKind, Transport, normalise_url, token_kind
from web_server import Answer, Asked, serving

LEGACY = "ab" * 20


def _jwt(**claims: object) -> str:
    parts = ({"alg": "HS256"}, claims, "signature")
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


REFRESH = _jwt(token_type="refresh", exp=4e9)


def _ok(value: object = None) -> Answer:
    return Answer(200, json.dumps(value).encode())


def _refused(status: int, detail: object) -> Answer:
    return Answer(status, json.dumps({"detail": detail}).encode())


def _get(url: str, token: str, path: str = "/api/x", *, sleep: Callable[[float], None] = time.sleep) -> object:
    with Transport(url, token, sleep=sleep) as transport:
        return transport.get(path)


def _in_turn(*answers: Answer) -> Callable[[Asked], Answer]:
    waiting = list(answers)
    return lambda _: waiting.pop(0)


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("", TokenKind.NONE),
        (LEGACY, TokenKind.LEGACY),
        (REFRESH, TokenKind.PERSONAL),
        (_jwt(token_type="access"), TokenKind.ACCESS),
        ("not.a.jwt", TokenKind.PERSONAL),
    ],
)
def test_the_kind_of_a_token_shows_in_its_form(token: str, kind: TokenKind) -> None:
    assert token_kind(token) is kind


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("http://LocalHost:8080/", "http://localhost:8080"),
        (" https://Example.ORG:443/label/studio// ", "https://example.org/label/studio"),
        ("http://example.org?next=1#top", "http://example.org"),
    ],
)
def test_one_spelling_for_each_url(written: str, normal: str) -> None:
    assert normalise_url(written) == normal


@pytest.mark.parametrize(
    "wrong", ["", "localhost:8080", "ftp://example.org", "http://", "http://me:secret@example.org"]
)
def test_a_url_that_cannot_be_right_is_refused_without_its_password(wrong: str) -> None:
    with pytest.raises(SettingsError) as caught:
        normalise_url(wrong)
    assert "me:secret" not in str(caught.value)


def test_a_missing_or_short_lived_token_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(LabelStudioAuthError, match="No Label Studio access token"):
        Transport("http://localhost:8080", "")
    with pytest.raises(LabelStudioAuthError, match="short-lived"):
        Transport("http://localhost:8080", _jwt(token_type="access"))


def test_a_legacy_token_is_sent_as_it_is_below_the_sub_path() -> None:
    with serving(lambda _: _ok([1])) as server:
        assert _get(f"{server.url}/sub/", LEGACY, "/api/x?a=1") == [1]
    assert server.asked[0].path == "/sub/api/x?a=1"
    assert server.asked[0].headers["Authorization"] == f"Token {LEGACY}"


def test_a_personal_token_is_exchanged_once_and_again_when_its_access_ends() -> None:
    """The first access token is about to end, so the second request exchanges anew; the third uses what it got."""
    lives = iter([time.time() + 5, time.time() + 300])

    def answer(asked: Asked) -> Answer:
        if asked.path == "/sub/api/token/refresh/":
            assert json.loads(asked.body) == {"refresh": REFRESH}
            return _ok({"access": _jwt(token_type="access", exp=next(lives))})
        return _ok("fine")

    with serving(answer) as server, Transport(f"{server.url}/sub", REFRESH) as transport:
        assert [transport.get("/api/x") for _ in range(3)] == ["fine"] * 3
    assert [asked.path for asked in server.asked].count("/sub/api/token/refresh/") == 2
    assert all(REFRESH not in asked.headers.get("Authorization", "") for asked in server.asked)


def test_an_access_token_that_the_server_no_longer_takes_is_exchanged_anew() -> None:
    """A restarted server may have forgotten it before its time."""
    access = _ok({"access": _jwt(token_type="access", exp=time.time() + 300)})
    with serving(_in_turn(access, _refused(401, "Token is invalid"), access, _ok("fine"))) as server:
        assert _get(server.url, REFRESH) == "fine"


def test_a_revoked_personal_token_is_named_and_not_shown() -> None:
    with serving(lambda _: _refused(401, "Token is blacklisted")) as server:
        with pytest.raises(LabelStudioAuthError, match="revoked, expired, or from another server") as caught:
            _get(server.url, REFRESH)
        assert REFRESH not in str(caught.value)


def test_a_busy_server_is_asked_again_and_its_pause_is_kept() -> None:
    pauses: list[float] = []
    busy = Answer(429, headers={"Retry-After": "7"})
    with serving(_in_turn(Answer(503), busy, _ok("fine"))) as server:
        assert _get(server.url, LEGACY, sleep=pauses.append) == "fine"
    assert pauses == [0.5, 7]


def test_a_get_gives_up_in_the_end() -> None:
    pauses: list[float] = []
    with serving(lambda _: Answer(502)) as server, pytest.raises(LabelStudioUnreachable):
        _get(server.url, LEGACY, sleep=pauses.append)
    assert (len(server.asked), pauses) == (4, [0.5, 1.0, 2.0])


def test_a_post_is_sent_once_only() -> None:
    """Label Studio removes no doubles: a repeated import would store predictions twice."""
    with (
        serving(lambda _: Answer(503)) as server,
        Transport(server.url, LEGACY) as transport,
        pytest.raises(LabelStudioUnreachable),
    ):
        transport.send("POST", "/api/x", body=[])
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with serving(lambda _: _ok()) as server:
        pass
    with pytest.raises(LabelStudioUnreachable, match="Cannot reach Label Studio"):
        _get(server.url, LEGACY, sleep=lambda _: None)


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (_refused(401, "Invalid token."), LabelStudioAuthError, "Copy it again"),
        (_refused(401, "no longer valid: legacy token authentication has been disabled"), LabelStudioAuthError,
         "Create a personal access token"),
        (_refused(403, "You do not have permission"), LabelStudioAuthError, "You do not have permission"),
        (_refused(403, "URL resolves to a reserved network address (block: 127.0.0.0/8)"), LabelStudioRefusesAddress,
         "ML_BLOCK_LOCAL_IP=false\n    SSRF_PROTECTION_ENABLED=false"),
        (_refused(404, "No Project matches"), LabelStudioNotFound, "No Project matches"),
        (Answer(400, b'{"validation_errors": {"title": ["too <a href=x>short</a>"], "non_field_errors": ["b"]}}'),
         LabelStudioError, "title: too short; b"),
        (_refused(400, f"what is {LEGACY}?"), LabelStudioError, r"what is \*\*\*\?"),
        (Answer(500, b"<html>"), LabelStudioError, "no reason given"),
        (Answer(200, b"<html>"), LabelStudioError, "did not respond like Label Studio's API"),
        (Answer(302, headers={"Location": "https://example.org/login?next=x"}), LabelStudioError,
         "redirects to https://example.org[.]"),
    ],
)  # fmt: skip
def test_refusals_become_errors_that_say_how_to_mend_them(answer: Answer, error: type[Exception], says: str) -> None:
    with serving(lambda _: answer) as server, pytest.raises(error, match=says) as caught:
        _get(server.url, LEGACY)
    assert LEGACY not in str(caught.value)


def test_the_servers_clock_is_read() -> None:
    """From the Date header, which Python's own server sends too."""
    before = int(time.time())  # the header has whole seconds
    with serving(lambda _: _ok()) as server, Transport(server.url, LEGACY) as transport:
        now = transport.now()
    assert now is not None
    assert before <= now.timestamp() <= time.time()
