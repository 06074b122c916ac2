"""Eight planted secrets, used in earnest, and then looked for wherever something is written or said."""

from __future__ import annotations

import io
import json
import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from backends import BackendProcess
from opened import OpenedCopilot, opened
from review_copilot.errors import CopilotError
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.library import load_guideline
from review_copilot.outbound.http_client import WIRE_LOGGERS
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from web_server import Answer, Asked, WebServer, serving

SECRETS = {
    "token": "70ken" + "ab" * 20,
    "password": "pa55word-of-the-backend",
    "webhook": "webh00k-secret",
    "model key": "sk-m0del-key",
    "image password": "1mage-password",
    "image signature": "s1gnature-of-an-image",
    "redirect signature": "redirect-s1gnature",
    "pseudonym key": "pseud0nym-key",
}
CONFIG = generate(load_guideline("photo-quality"))


def _png() -> bytes:
    sink = io.BytesIO()
    Image.effect_noise((64, 64), 90).convert("RGB").save(sink, "PNG")
    return sink.getvalue()


PNG = _png()


def _answer(asked: Asked) -> Answer:
    """Images, a redirect to a signed link, and refusals that echo what they were sent."""
    if asked.path.startswith("/moved"):
        return Answer(302, headers={"Location": f"/image.png?sig={SECRETS['redirect signature']}"})
    if asked.path.startswith("/image"):
        return Answer(body=PNG, headers={"Set-Cookie": f"session={SECRETS['redirect signature']}"})
    said = {"detail": str(asked.headers), "error": {"message": str(asked.headers)}}
    return Answer(401 if asked.path.startswith("/v1") else 403, json.dumps(said).encode())


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(_answer) as running:
        yield running


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """Everything that any logger says, at every level."""
    root, before = logging.getLogger(), logging.getLogger().level
    sink = io.StringIO()
    handler = logging.StreamHandler(sink)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    levels = {name: logging.getLogger(name).level for name in WIRE_LOGGERS}
    for name in WIRE_LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield sink
    root.removeHandler(handler)
    root.setLevel(before)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def _use_all(copilot: OpenedCopilot, server: WebServer) -> list[str]:
    """Use every secret; returns what was answered and what was raised."""
    host = server.url.removeprefix("http://")
    signed = f"?X-Amz-Signature={SECRETS['image signature']}"
    images = [
        f"http://me:{SECRETS['image password']}@{host}/{path}{signed}"
        for path in ("image.png", "moved.png", "refused.png")
    ]
    images.append(f"http://me:{SECRETS['image password']}@127.0.0.1:9/image.png{signed}")
    images.append(f"http://me:{SECRETS['image password']}@elsewhere.test/image.png{signed}")
    images.append(f"s3://bucket/image.png{signed}")
    client = create_app(copilot.parts()).test_client()
    auth = ("copilot", SECRETS["password"])
    tasks = [{"id": n, "data": {"image": image}} for n, image in enumerate(images, start=1)]
    body = {"tasks": tasks, "project": "7.1", "label_config": CONFIG}
    event = {"action": "ANNOTATION_CREATED", "project": {"id": 7}, "task": tasks[0], "annotation": {"id": 1, "task": 1}}
    header = {SECRET_HEADER: SECRETS["webhook"]}
    texts = [
        client.post("/predict", json=body, auth=auth).get_data(as_text=True),
        client.post("/webhook", json=event, headers=header).get_data(as_text=True),
        client.post("/webhook", json=event, headers={SECRET_HEADER: SECRETS["webhook"] + "x"}).get_data(as_text=True),
        *(
            client.get(route, auth=auth).get_data(as_text=True)
            for route in ("/status", "/metrics", "/copilot/", "/health")
        ),
    ]
    for call in (copilot.client.who, lambda: copilot.client.project(7), copilot.client.version):
        with pytest.raises(CopilotError) as caught:
            call()
        texts.append(f"{caught.value!r} {caught.value} {caught.value.hint}")
    texts.append(repr(copilot.settings))
    return texts


@pytest.mark.parametrize("inspector", ["builtin", "openai"])
def test_no_secret_is_written_or_said(inspector: str, server: WebServer, said: io.StringIO, tmp_path: Path) -> None:
    copilot = opened(
        load_settings(
            _env_file=None,
            database_url=f"sqlite:///{tmp_path}/log.db",
            label_studio_url=server.url,
            label_studio_token=SECRETS["token"],
            password=SECRETS["password"],
            webhook_secret=SECRETS["webhook"],
            pseudonym_key=SECRETS["pseudonym key"],
            allowed_hosts=("127.0.0.1",),
            inspector=inspector,
            model="some-model" if inspector == "openai" else "",
            model_base_url=f"{server.url}/v1",
            model_api_key=SECRETS["model key"],
            model_cache=tmp_path / "replies",
        )
    )
    texts = _use_all(copilot, server)
    files = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    copilot.store.close()
    assert "log.db-wal" in files
    assert any(f"Token {SECRETS['token']}" in str(asked.headers) for asked in server.asked), "the secrets were used"
    assert any(SECRETS["redirect signature"] in asked.path for asked in server.asked)
    assert inspector == "builtin" or any(SECRETS["model key"] in str(asked.headers) for asked in server.asked)
    for name, secret in SECRETS.items():
        assert secret not in said.getvalue(), f"{name} in the log"
        assert not any(secret in text for text in texts), f"{name} in an answer or an error"
        assert not [file for file, data in files.items() if secret.encode() in data], f"{name} in a file"


def test_no_secret_stands_in_the_list_of_processes(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRETS["model key"])
    backend = BackendProcess(
        {
            "label_studio_token": SECRETS["token"],
            "model_api_key_file": tmp_path / "key",
            "password": SECRETS["password"],
        },
        tmp_path,
    )
    backend.start()
    try:
        listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    finally:
        backend.end()
    assert f"{backend._process.pid} " in listed
    assert not [name for name, secret in SECRETS.items() if secret in listed]
    log = "".join(path.read_text() for path in tmp_path.glob("*.log"))
    assert not [name for name, secret in SECRETS.items() if secret in log]
