"""Hosts that answer slowly, without end, or packed to unpack beyond all bounds: each costs one image, in time."""

from __future__ import annotations

import gzip
import io
import os
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from PIL import Image

from raw_server import Talk, dripping, raw_server, sending, silent
from review_copilot.errors import (
    ImageError,
    ImageForbidden,
    ImageTooLarge,
    ImageUnreachable,
    ImageUnreadable,
    LabelStudioUnreachable,
)
from review_copilot.images import ImageFetcher
from review_copilot.images.fetch import FetchLimits
from review_copilot.labelstudio.transport import LabelStudioAuth, Transport
from web_server import Answer, Asked, serving

TIMEOUT_S = 0.5
LEEWAY_S = 1.0
"""What a busy machine may take beyond a time limit."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
REFRESH = "e30.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.x"


def _png(side: int = 8) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(sink, "PNG")
    return sink.getvalue()


PNG = _png()


def _fetcher(home: str = "http://127.0.0.1:9", *, token: str = "", **limits: object) -> ImageFetcher:
    chosen = {"allowed_hosts": ("127.0.0.1", "localhost"), "timeout_s": TIMEOUT_S, **limits}
    auth = LabelStudioAuth(home, token) if token else None
    limit = FetchLimits(**chosen)  # type: ignore[arg-type]  # each test names one
    return ImageFetcher(label_studio_url=home, auth=auth, limits=limit)


def _load(url: str, **limits: object) -> bytes:
    with _fetcher(**limits) as fetcher:  # type: ignore[arg-type]  # each test names one
        return fetcher.load(url).data


def _chunks(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while not over.wait(0.03):
        connection.sendall(b"1;comment\r\nx\r\n")


def _continue(connection: socket.socket, over: threading.Event) -> None:
    while not over.wait(0.03):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


SLOW: dict[str, Talk] = {
    "says nothing": silent,
    "a body of a byte now and then": dripping(HEAD + b"Content-Length: 100000\r\n\r\n", b"x", every_s=0.03),
    "a body without a length": dripping(HEAD + b"\r\n", b"x", every_s=0.03),
    "a status line of a byte now and then": dripping(b"", b"HTTP/1.1 200 OK", every_s=0.03),
    "headers of a byte now and then": dripping(HEAD, b"X-Slow: yes\r\n", every_s=0.03),
    "chunks with comments": _chunks,
    "interim answers without end": _continue,
}


@pytest.mark.parametrize("talk", SLOW.values(), ids=SLOW.keys())
def test_one_deadline_holds_over_headers_and_body(talk: Talk) -> None:
    began = time.monotonic()
    with raw_server(talk) as server, pytest.raises(ImageUnreachable, match=r"took more than 0\.5 s"):
        _load(f"{server.url}/a.png")
    assert time.monotonic() - began < TIMEOUT_S + LEEWAY_S


@pytest.mark.parametrize(
    "talk",
    [
        silent,
        dripping(b"", b"\x16\x03\x03\x3f\xff", every_s=0.03),
        dripping(b"\x16\x03\x03\x3f\xff", b"\x02", every_s=0.03),
    ],
    ids=["says nothing", "records of a byte now and then", "one long record"],
)
def test_one_deadline_holds_over_the_tls_handshake(talk: Talk) -> None:
    began = time.monotonic()
    with raw_server(talk, reads_first=False) as server, pytest.raises(ImageUnreachable):
        _load(f"https://127.0.0.1:{server.port}/a.png")
    assert time.monotonic() - began < TIMEOUT_S + LEEWAY_S


@pytest.mark.parametrize("slow", ["", "slow"])
def test_the_deadline_and_the_certificates_name_hold_over_tls(
    slow: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to an address, and the certificate is still checked against the name."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    length = b"Content-Length: %d\r\n\r\n" % len(PNG)
    answer = dripping(HEAD + length, b"x", every_s=0.03) if slow else sending(HEAD + length + PNG)

    def talk(connection: socket.socket, over: threading.Event) -> None:
        with suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(65536)
            answer(encrypted, over)

    with raw_server(talk, reads_first=False) as server:
        if slow:
            with pytest.raises(ImageUnreachable, match="took more than"):
                _load(f"https://localhost:{server.port}/a.png")
            return
        assert _load(f"https://localhost:{server.port}/a.png", timeout_s=5.0) == PNG
        with pytest.raises(ImageUnreachable, match="cannot be reached"):
            _load(f"https://127.0.0.1:{server.port}/a.png", timeout_s=5.0)


def test_redirects_share_the_deadline() -> None:
    def answer(asked: Asked) -> Answer:
        time.sleep(0.3)
        return Answer(302, headers={"Location": f"/{len(asked.path)}{'x' * len(asked.path)}"})

    began = time.monotonic()
    with serving(answer) as server, pytest.raises(ImageUnreachable, match="took more than"):
        _load(f"{server.url}/a.png")
    assert time.monotonic() - began < TIMEOUT_S + LEEWAY_S


def test_the_deadline_holds_over_name_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def slow(*_: object, **__: object) -> list[object]:
        released.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    began = time.monotonic()
    with pytest.raises(ImageUnreachable, match="took more than"):
        _load("http://localhost:9/a.png")
    assert time.monotonic() - began < TIMEOUT_S + LEEWAY_S
    released.set()


@pytest.mark.parametrize("talk", [silent, SLOW["a body without a length"], SLOW["headers of a byte now and then"]])
def test_the_deadline_holds_over_the_token_exchange(talk: Talk) -> None:
    """The exchange is a request of its own, which httpx gives no time limit."""
    began = time.monotonic()
    with raw_server(talk) as server:
        with _fetcher(server.url, token=REFRESH) as fetcher, pytest.raises(ImageUnreachable):
            fetcher.load("/data/upload/1/a.png")
        with (
            Transport(server.url, REFRESH, timeout_s=TIMEOUT_S) as transport,
            pytest.raises(LabelStudioUnreachable, match="did not respond in time"),
        ):
            transport.send("POST", "/api/x")
    assert time.monotonic() - began < 2 * (TIMEOUT_S + LEEWAY_S)


@pytest.mark.parametrize("talk", SLOW.values(), ids=SLOW.keys())
def test_one_deadline_holds_over_each_answer_of_label_studio(talk: Talk) -> None:
    began = time.monotonic()
    with (
        raw_server(talk) as server,
        Transport(server.url, "ab" * 20, timeout_s=TIMEOUT_S) as transport,
        pytest.raises(LabelStudioUnreachable),
    ):
        transport.send("POST", "/api/x")
    assert time.monotonic() - began < TIMEOUT_S + LEEWAY_S


def test_a_host_that_reads_nothing_is_left_in_time() -> None:
    """What is sent waits in buffers, then in us."""
    began = time.monotonic()
    with (
        raw_server(silent, reads_first=False) as server,
        Transport(server.url, "ab" * 20, timeout_s=TIMEOUT_S) as transport,
        pytest.raises(LabelStudioUnreachable, match="did not respond in time"),
    ):
        transport.send("POST", "/api/x", body=["x" * 20_000_000])
    assert time.monotonic() - began < TIMEOUT_S + LEEWAY_S


def test_one_stuck_host_leaves_a_slot_to_others() -> None:
    """Eight images of a stuck host stand before one of a host that answers, and four threads fetch."""
    with (
        raw_server(silent) as stuck,
        serving(lambda _: Answer(body=PNG)) as good,
        _fetcher(timeout_s=2.0, most_per_host=3) as fetcher,
        ThreadPoolExecutor(4) as pool,
    ):
        began = time.monotonic()
        failures = [pool.submit(fetcher.load, f"{stuck.url}/{n}.png") for n in range(8)]
        image = pool.submit(fetcher.load, f"{good.url.replace('127.0.0.1', 'localhost')}/a.png").result()
        waited_s = time.monotonic() - began
        errors = [failed.exception() for failed in failures]
    assert image.data == PNG
    assert waited_s < 1.5, "the stuck host held all threads until its deadline"
    assert all(isinstance(error, ImageUnreachable) for error in errors)
    assert len(stuck.heard) <= 6


def test_a_busy_host_that_answers_serves_all_that_wait() -> None:
    """Waiting for a slot costs no image as long as the host goes on answering."""

    def answer(_: Asked) -> Answer:
        time.sleep(0.1)
        return Answer(body=PNG)

    with serving(answer) as server, _fetcher(timeout_s=4.0, most_per_host=2) as fetcher, ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda n: fetcher.load(f"{server.url}/{n}.png").data, range(24)))
    assert loaded == [PNG] * 24


def _packed(times: int, coding: Callable[[bytes], bytes] = gzip.compress, *, data: bytes = PNG) -> bytes:
    for _ in range(times):
        data = coding(data)
    return data


def test_files_are_asked_for_unpacked() -> None:
    with serving(lambda _: Answer(body=PNG)) as server:
        _load(f"{server.url}/a.png")
    assert server.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", _packed(1)),
        ("X-Gzip", _packed(1)),
        ("identity, gzip", _packed(1)),
        ("deflate", _packed(1, zlib.compress)),
        ("identity", PNG),
        ("gzip", gzip.compress(PNG[:20]) + gzip.compress(PNG[20:])),
    ],
)
def test_a_file_that_is_packed_once_is_unpacked(coding: str, body: bytes) -> None:
    with serving(lambda _: Answer(body=body, headers={"Content-Encoding": coding})) as server:
        assert _load(f"{server.url}/a.png") == PNG


@pytest.mark.parametrize(
    ("coding", "body", "says"),
    [
        ("gzip, gzip", _packed(2), "packed 2 times over"),
        ("gzip,identity , GZIP,deflate", _packed(3), "packed 3 times over"),
        ("gzip, br", _packed(1), "packed 2 times over"),
        ("br", PNG, "in a way that was not asked for"),
        ("zstd", PNG, "in a way that was not asked for"),
        ("x" * 3000, PNG, "in a way that was not asked for"),
        ("gzip", _packed(1)[:-9], "is cut off"),
        ("gzip", b"", "no image|empty"),
        ("gzip", PNG, "is broken"),
        ("deflate", PNG, "is broken"),
        ("gzip", _packed(1)[:10] + b"\xff" * 40, "is broken"),
    ],
)
def test_packing_that_is_refused(coding: str, body: bytes, says: str) -> None:
    with (
        serving(lambda _: Answer(body=body, headers={"Content-Encoding": coding})) as server,
        pytest.raises(ImageUnreadable, match=says),
    ):
        _load(f"{server.url}/a.png")


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(bytes(400_000_000), 9)),
        ("deflate", zlib.compress(bytes(400_000_000), 9)),
        ("gzip", b"".join(gzip.compress(bytes(40_000_000), 9) for _ in range(10))),
    ],
    ids=["gzip", "deflate", "members"],
)
def test_a_packed_bomb_is_left_at_the_limit(coding: str, body: bytes) -> None:
    limit = 4_000_000
    with serving(lambda _: Answer(body=body, headers={"Content-Encoding": coding})) as server:
        tracemalloc.start()
        try:
            with pytest.raises(ImageTooLarge, match="larger than 4000000 bytes"):
                _load(f"{server.url}/a.png", max_bytes=limit, timeout_s=10.0)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 4 * limit


def _without_end(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD + b"\r\n")
    while not over.is_set():
        connection.sendall(bytes(65536))


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        (sending(HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"), (ImageTooLarge, ImageUnreachable)),
        (sending(HEAD + b"Content-Length: 99999999\r\n\r\n"), ImageTooLarge),
        (sending(HEAD + b"Content-Length: -1\r\n\r\n" + PNG), ImageUnreachable),
        (sending(HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + PNG), ImageUnreachable),
        (sending(HEAD + b"Content-Length: 5000\r\n\r\n" + PNG), ImageUnreachable),
        (sending(HEAD + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n"), ImageUnreachable),
        (sending(HEAD + b"X: y\r\n" * 100_000 + b"\r\n"), ImageUnreachable),
        (sending(b"\x00" * 1000), ImageUnreachable),
        (sending(b""), ImageUnreachable),
        (_without_end, ImageTooLarge),
    ],
    ids=[
        "5000 digits", "announced", "negative", "two lengths", "cut off", "long header", "many headers", "no HTTP",
        "nothing", "without end",
    ],
)  # fmt: skip
def test_answers_without_bounds_cost_one_image(talk: Talk, error: type[ImageError]) -> None:
    with raw_server(talk) as server, pytest.raises(error):
        _load(f"{server.url}/a.png", max_bytes=1_000_000, timeout_s=5.0)


@pytest.mark.parametrize(
    "answers",
    [[["203.0.114.7"], ["127.0.0.1"]], [["203.0.114.7", "127.0.0.1"]], [["127.0.0.1"]], [["::1"]], [["::ffff:7f00:1"]]],
    ids=["public, then loopback", "both", "loopback", "IPv6 loopback", "wrapped loopback"],
)
def test_a_name_that_is_bound_anew_never_leads_inside(
    answers: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that was checked is the one that is called: there is no second lookup to lie in."""
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def rebinding(host: object, port: object, *args: int, **more: int) -> object:
        if host != "rebinding.test":
            return resolve(host, port, *args, **more)  # type: ignore[arg-type]  # as it came
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(str(host))
        return [(socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in found]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with serving(lambda _: Answer(body=PNG)) as inside:
        port = inside.url.rpartition(":")[2]
        with pytest.raises((ImageForbidden, ImageUnreachable)):
            _load(f"http://rebinding.test:{port}/a.png", allowed_hosts=("*",))
        assert inside.asked == []
        assert len(asked) == 1


def test_a_port_is_trusted_by_itself() -> None:
    with serving(lambda _: Answer(body=PNG)) as named, serving(lambda _: Answer(body=PNG)) as other:
        allowed = (named.url.removeprefix("http://"),)
        assert _load(f"{named.url}/a.png", allowed_hosts=allowed) == PNG
        with pytest.raises(ImageForbidden, match="do not allow images from the host"):
            _load(f"{other.url}/a.png", allowed_hosts=allowed)
    assert other.asked == []


def test_pipes_and_devices_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageUnreadable, match="not a file"):
        _load("/data/local-files/?d=pipe.png", local_files_root=tmp_path)
    with pytest.raises(ImageUnreadable, match="not a file"):
        _load("/dev/zero", plain_files=True)
