"""Fetching images from servers, disks and data URIs, and refusing to."""

from __future__ import annotations

import base64
import io
import threading
from pathlib import Path

import httpx
import pytest
from PIL import Image

from review_copilot.domain.redaction import printable
from review_copilot.errors import ImageForbidden, ImageNotFound, ImageTooLarge, ImageUnreachable, ImageUnreadable
from review_copilot.images import ImageFetcher
from review_copilot.images.fetch import FetchLimits
from review_copilot.images.hosts import Trust, trust_in
from review_copilot.labelstudio.transport import LabelStudioAuth
from review_copilot.outbound.addresses import is_public
from web_server import Answer, Asked, serving

TOKEN = "ab" * 20
NOWHERE = "http://127.0.0.1:9"


def _png(side: int = 8) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(sink, "PNG")
    return sink.getvalue()


PNG = _png()


def _load(reference: str, *, home: str = NOWHERE, task_id: int | None = None, **limits: object) -> bytes:
    with ImageFetcher(
        label_studio_url=home,
        auth=LabelStudioAuth(home, TOKEN),
        limits=FetchLimits(**limits),  # type: ignore[arg-type]  # each test names one
    ) as fetcher:
        return fetcher.load(reference, task_id=task_id).data


@pytest.mark.parametrize(
    ("host", "allowed", "trust"),
    [
        ("img.example.org", ("img.example.org",), Trust.NAMED),
        ("IMG.Example.org.", ("img.example.org",), Trust.NAMED),
        ("a.b.example.org", ("*.example.org",), Trust.NAMED),
        ("example.org", ("*.example.org",), Trust.NONE),
        ("evilexample.org", ("*.example.org",), Trust.NONE),
        ("anything.net", ("*",), Trust.ANY),
        ("img.example.org", ("*", "img.example.org"), Trust.NAMED),
        ("anything.net", (), Trust.NONE),
        ("img.example.org", ("img.example.org:443",), Trust.NAMED),
        ("img.example.org", ("img.example.org:8443",), Trust.NONE),
        ("a.example.org", ("*.example.org:443",), Trust.NAMED),
        ("a.example.org", ("*.example.org:80",), Trust.NONE),
        ("anything.net", ("*:443",), Trust.ANY),
        ("anything.net", ("*:8080",), Trust.NONE),
        ("::1", ("::1",), Trust.NAMED),
        ("::1", ("[::1]:443",), Trust.NAMED),
        ("::1", ("[::1]:80",), Trust.NONE),
        ("2001:db8::443", ("2001:db8::443",), Trust.NAMED),
        ("2001:db8:", ("2001:db8::443",), Trust.NONE),
        ("img.example.org", ("img.example.org:" + "4" * 5000,), Trust.NONE),
        ("img.example.org", ("img.example.org:\u0664\u0664\u0663",), Trust.NONE),
    ],
)
def test_hosts_are_trusted_by_name(host: str, allowed: tuple[str, ...], trust: Trust) -> None:
    assert trust_in(host, allowed, port=443) is trust


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("127.0.0.1", False), ("10.1.2.3", False), ("169.254.169.254", False), ("0.1.2.3", False),
        ("100.64.0.1", False), ("224.0.0.1", False), ("::1", False), ("fe80::1%eth0", False), ("fd00::1", False),
        ("::ffff:127.0.0.1", False), ("2002:7f00:1::", False), ("2001:4860:4860::8888", True), ("", False),
        ("64:ff9b::7f00:1", False), ("64:ff9b::808:808", True), ("64:ff9b:1::7f00:1", False), ("::7f00:1", False),
        ("::ffff:0:7f00:1", False), ("fec0::1", False), ("3fff::1", False), ("192.0.0.8", False), ("240.0.0.1", False),
        ("2001:0:1:2:3:4:80ff:fefe", False), ("255.255.255.255", False), ("ff0e::1", False), ("::", False),
    ],
)  # fmt: skip
def test_public_addresses_are_told_from_all_others(address: str, public: bool) -> None:  # noqa: FBT001  # a table
    assert is_public(address) is public


@pytest.mark.parametrize("sub_path", ["", "/label"])
@pytest.mark.parametrize("path", ["/data/upload/1/a.png", "/data/local-files/?d=a.png"])
def test_label_studios_paths_are_fetched_below_its_sub_path_with_the_token(sub_path: str, path: str) -> None:
    with serving(lambda _: Answer(body=PNG)) as server:
        home = f"{server.url}{sub_path}"
        for reference in (path, f"{sub_path}{path}", f"{home}{path}"):
            assert _load(reference, home=home) == PNG
    assert [asked.path for asked in server.asked] == [f"{sub_path}{path}"] * 3
    assert {asked.headers["Authorization"] for asked in server.asked} == {f"Token {TOKEN}"}


@pytest.mark.parametrize(
    "path", ["/api/users/", "/data/../api/users/", "/data/%2e%2e/api/users/", "/etc/passwd", "../x"]
)
def test_paths_that_serve_no_files_are_refused(path: str) -> None:
    with (
        serving(lambda _: Answer(body=PNG)) as server,
        pytest.raises(ImageForbidden, match="does not serve files under"),
    ):
        _load(path, home=server.url)
    assert server.asked == []


def test_the_token_is_not_sent_beyond_label_studios_files() -> None:
    """Neither to another path of its host, nor to another host that it redirects to."""
    with serving(lambda _: Answer(body=PNG)) as other:
        away = Answer(302, headers={"Location": f"{other.url.replace('127.0.0.1', 'localhost')}/b.png"})
        with serving(lambda a: away if a.path == "/ls/data/upload/1/a.png" else Answer(body=PNG)) as server:
            home = f"{server.url}/ls"
            assert _load("/data/upload/1/a.png", home=home, allowed_hosts=("localhost",)) == PNG
            assert _load(f"{server.url}/other/c.png", home=home) == PNG
    assert "Authorization" in server.asked[0].headers
    assert "Authorization" not in server.asked[1].headers
    assert "Authorization" not in other.asked[0].headers


def test_a_cloud_uri_is_signed_for_its_task() -> None:
    signed = Answer(303, headers={"Location": "/data/signed.png?signature=secret"})
    with serving(lambda a: signed if "presign" in a.path else Answer(body=PNG)) as server:
        assert _load("s3://bucket/a b.png", home=server.url, task_id=7) == PNG
    uri = base64.urlsafe_b64encode(b"s3://bucket/a b.png").decode()
    assert httpx.URL(server.asked[0].path).params["fileuri"] == uri
    assert server.asked[0].path.startswith("/tasks/7/presign/?")


def test_a_link_that_label_studio_signs_may_not_lead_to_a_private_address() -> None:
    with serving(lambda _: Answer(303, headers={"Location": "http://localhost:9/x.png"})) as server:
        with pytest.raises(ImageForbidden, match="localhost has a private address"):
            _load("s3://bucket/a.png", home=server.url, task_id=7)
        with pytest.raises(ImageNotFound, match="only in a Label Studio task"):
            _load("gs://bucket/a.png", home=server.url)


def test_hosts_that_are_not_allowed_are_never_called() -> None:
    with serving(lambda _: Answer(body=PNG)) as server:
        with pytest.raises(ImageForbidden, match=r"REVIEW_COPILOT_ALLOWED_HOSTS=127\.0\.0\.1"):
            _load(f"{server.url}/a.png")
        with pytest.raises(ImageForbidden, match="private address"):
            _load(f"{server.url}/a.png", allowed_hosts=("*",))
        assert server.asked == []
        assert _load(f"{server.url}/a.png", allowed_hosts=("127.0.0.1",)) == PNG


def test_each_redirect_is_looked_at_before_it_is_followed() -> None:
    with serving(lambda _: Answer(body=PNG)) as target:
        inward = target.url.replace("127.0.0.1", "localhost")
        with serving(lambda _: Answer(302, headers={"Location": f"{inward}/a.png"})) as server:
            with pytest.raises(ImageForbidden, match="do not allow images from the host localhost"):
                _load(f"{server.url}/a.png", allowed_hosts=("127.0.0.1",))
            assert target.asked == []
            assert _load(f"{server.url}/a.png", allowed_hosts=("127.0.0.1", "localhost")) == PNG


@pytest.mark.parametrize(
    ("location", "error", "says"),
    [
        ("/again", ImageUnreachable, "redirects more than 5 times"),
        ("file:///etc/passwd", ImageForbidden, "not HTTP or HTTPS"),
        ("/user/login/?next=/data", ImageForbidden, "requires a Label Studio token"),
        ("http://a:b/", ImageUnreachable, "cannot be reached"),
    ],
)
def test_redirects_that_lead_nowhere(location: str, error: type[Exception], says: str) -> None:
    with (
        serving(lambda _: Answer(302, headers={"Location": location})) as server,
        pytest.raises(error, match=says),
    ):
        _load(f"{server.url}/a.png", home=server.url)


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, ImageForbidden), (403, ImageForbidden), (404, ImageNotFound), (410, ImageNotFound), (429, ImageUnreachable),
     (500, ImageNotFound), (503, ImageUnreachable)],
)  # fmt: skip
def test_each_refusal_has_its_error(status: int, error: type[Exception]) -> None:
    with serving(lambda _: Answer(status)) as server, pytest.raises(error, match="Label Studio"):
        _load("/data/upload/1/a.png", home=server.url)


def test_a_web_page_instead_of_an_image_is_unreadable() -> None:
    with serving(lambda _: Answer(body=b"<!doctype html><p>hello")) as server, pytest.raises(ImageUnreadable):
        _load("/data/upload/1/a.png", home=server.url)


def test_files_over_the_limit_are_not_read_to_their_end() -> None:
    with serving(lambda _: Answer(body=PNG)) as server:
        with pytest.raises(ImageTooLarge, match=f"larger than {len(PNG) - 1} bytes"):
            _load("/data/upload/1/a.png", home=server.url, max_bytes=len(PNG) - 1)
        assert _load("/data/upload/1/a.png", home=server.url, max_bytes=len(PNG)) == PNG


def test_a_slow_server_is_left_in_time() -> None:
    """The server answers only after it was left."""
    left = threading.Event()

    def slow(_: Asked) -> Answer:
        left.wait(60)
        return Answer(body=PNG)

    with serving(slow) as server:
        with pytest.raises(ImageUnreachable, match=r"took more than 0\.2 s"):
            _load("/data/upload/1/a.png", home=server.url, timeout_s=0.2)
        left.set()


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(ImageUnreachable, match=r"cannot be reached at 127\.0\.0\.1"):
        _load("/data/upload/1/a.png")
    with pytest.raises(ImageUnreachable, match="has no address"):
        _load("http://no-such-host.invalid/a.png", allowed_hosts=("*",))


def test_a_token_that_is_refused_is_an_error_of_that_image() -> None:
    refresh = "e30.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.x"
    with (
        serving(lambda _: Answer(401)) as server,
        ImageFetcher(
            label_studio_url=server.url, auth=LabelStudioAuth(server.url, refresh), limits=FetchLimits()
        ) as fetcher,
        pytest.raises(ImageForbidden, match="rejected the personal access token"),
    ):
        fetcher.load("/data/upload/1/a.png")


def test_data_uris_hold_their_image() -> None:
    encoded = base64.b64encode(PNG).decode()
    assert _load(f"data:image/png;base64,{encoded}") == PNG
    assert _load("data:image/png," + "".join(f"%{byte:02x}" for byte in PNG)) == PNG
    with pytest.raises(ImageTooLarge):
        _load(f"data:image/png;base64,{encoded}", max_bytes=20)
    for broken in ("data:image/png;base64", "data:image/png;base64,a"):
        with pytest.raises(ImageUnreadable):
            _load(broken)


def test_local_files_are_read_from_their_folder_and_never_outside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a b.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG)
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    assert _load("/data/local-files/?d=a%20b.png", local_files_root=root) == PNG
    for outside in ("../secret.png", "link.png"):
        with pytest.raises(ImageForbidden, match="outside the folder"):
            _load(f"/data/local-files/?d={outside}", local_files_root=root)
    with pytest.raises(ImageNotFound):
        _load("/data/local-files/?d=none.png", local_files_root=root)


def test_paths_on_disk_are_read_only_where_their_user_typed_them(tmp_path: Path) -> None:
    file = tmp_path / "a b.png"
    file.write_bytes(PNG)
    for reference in (str(file), file.as_uri()):
        assert _load(reference, plain_files=True) == PNG
        with pytest.raises(ImageForbidden):
            _load(reference)
    with pytest.raises(ImageNotFound):
        _load(str(tmp_path / "none.png"), plain_files=True)
    with pytest.raises(ImageUnreadable):
        _load(str(tmp_path), plain_files=True)
    with pytest.raises(ImageTooLarge):
        _load(str(file), plain_files=True, max_bytes=10)


def test_a_task_without_an_image_says_so() -> None:
    with pytest.raises(ImageNotFound, match="has no image"):
        _load("  ")


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("data:image/png;base64,AAAA", "the data URI"),
        ("https://me:secret@example.org/a.png?X-Amz-Signature=secret", "https://example.org/a.png"),
        ("/data/local-files/?d=folder/a.png&token=secret", "/data/local-files/?d=folder/a.png"),
        ("/data/upload/1/" + "x" * 300, "/data/upload/1/" + "x" * 182 + "..."),
    ],
)
def test_what_is_printed_of_a_reference_holds_no_secret(reference: str, shown: str) -> None:
    assert printable(reference) == shown
