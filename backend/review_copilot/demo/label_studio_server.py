"""A real Label Studio process, for the demo and for the end-to-end tests. Knows no project and no copilot."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from review_copilot.demo.child_process import end_group, tail, wait_until_answering
from review_copilot.errors import LabelStudioAuthError, LabelStudioError

VERSION = "1.23.2"
"""The release that this product was tried against."""

READY_WITHIN_S = 240.0
"""A first start fills a database: about 15 s on an idle machine, minutes on a crowded one."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in.

    Attributes:
        email: Label Studio signs people in by e-mail address.
        password: At least 8 characters.
        legacy_token: 40 hex digits that become the first account's legacy token.
    """

    email: str = "reviewer@example.org"
    password: str = field(default="review-copilot", repr=False)
    legacy_token: str = field(default="c0b1107c0b1107c0b1107c0b1107c0b1107c0b11", repr=False)


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server is set up.

    Attributes:
        account: The first account, owner of the organization.
        legacy_tokens: Whether legacy tokens work; a fresh installation has personal access tokens only.
        private_addresses: Whether the server may call backends and webhooks on loopback and private addresses;
            a fresh installation may not.
        local_files_root: Folder that the server serves under /data/local-files/; None for none.
        port: 0 for a free one.
        environment: More variables for the server's process.
    """

    account: Account = field(default_factory=Account)
    legacy_tokens: bool = True
    private_addresses: bool = True
    local_files_root: Path | None = None
    port: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelStudioServer:
    """A server that answers.

    Attributes:
        url: Without a slash at its end.
        options: How it was set up.
        pid: Process id, which is also the id of its process group.
        log: File with everything that it printed.
    """

    url: str
    options: ServerOptions
    pid: int
    log: Path

    @property
    def account(self) -> Account:
        """The first account."""
        return self.options.account


def install(home: Path, *, say: Callable[[str], None]) -> Path:
    """Make sure that `home` is, or has in `home/venv`, an environment with Label Studio.

    Args:
        home: An environment that exists already, or a folder to make one in.
        say: Called with each line of progress.

    Returns:
        The environment's folder.

    Raises:
        LabelStudioError: The installation failed; names the log's tail.
    """
    for environment in (home, home / "venv"):
        if _command(environment).exists():
            return environment
    environment = home / "venv"
    say(f"Installing Label Studio {VERSION} (about 1 GB, a minute or two) ...")
    home.mkdir(parents=True, exist_ok=True)
    log = home / "install.log"
    python = environment / "bin" / "python"
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(environment)],
        [str(python), "-m", "pip", "install", "--progress-bar", "off", f"label-studio=={VERSION}"],
    )
    with log.open("wb") as sink:
        for step in steps:
            _install_step(step, sink_path=log, sink_fd=sink.fileno(), say=say)
    if not _command(environment).exists():
        raise LabelStudioError("Label Studio was installed but its command is missing.", hint=f"Look into {log}.")
    return environment


def _install_step(command: list[str], *, sink_path: Path, sink_fd: int, say: Callable[[str], None]) -> None:
    """Run one step and say every ten seconds how far it came.

    Raises:
        LabelStudioError: The step failed.
    """
    began = time.monotonic()
    with subprocess.Popen(command, stdout=sink_fd, stderr=subprocess.STDOUT, start_new_session=True) as process:  # noqa: S603  # our own words
        try:
            while True:
                try:
                    code = process.wait(timeout=10)
                    break
                except subprocess.TimeoutExpired:
                    last = tail(sink_path, lines=1).strip()
                    say(f"  {time.monotonic() - began:4.0f} s  {last[:100]}")
        except BaseException:
            end_group(process)
            raise
    if code != 0:
        raise LabelStudioError(
            f"Installing Label Studio failed with exit code {code}:\n{tail(sink_path)}",
            hint=f"Fix what the lines above say and run it again; the whole log is {sink_path}.",
        )


@contextmanager
def running(environment: Path, *, data: Path, options: ServerOptions) -> Iterator[LabelStudioServer]:
    """A server that runs as long as the block, and leaves no process behind.

    Args:
        environment: What `install` returned.
        data: Folder for its database and uploads; one that holds a database already is used on.
        options: How it is set up.

    Raises:
        DemoFailed: It ended or did not answer in time; carries the log's tail without secrets.
    """
    data.mkdir(parents=True, exist_ok=True)
    log = data / "label-studio.log"
    port = options.port or free_port()
    command = [str(_command(environment)), "start", "--port", str(port), "--internal-host", "127.0.0.1", "--no-browser"]
    with log.open("ab") as sink:
        process = subprocess.Popen(  # noqa: S603  # our own words
            command, env=_environment(data, options), cwd=data, stdout=sink, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    server = LabelStudioServer(url=f"http://127.0.0.1:{port}", options=options, pid=process.pid, log=log)
    try:
        wait_until_answering(
            f"{server.url}/health",
            process,
            name="Label Studio",
            within_s=READY_WITHIN_S,
            log=log,
            said=lambda: _safe_tail(server),
        )
        yield server
    finally:
        end_group(process)


def free_port() -> int:
    """A port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def signed_in(server: LabelStudioServer, account: Account | None = None) -> requests.Session:
    """A browser-like session of an account, able to post; close it after use.

    Raises:
        LabelStudioAuthError: The server does not take the password.
    """
    who = account or server.account
    return _through_form(server, "/user/login/", who)


def sign_up(server: LabelStudioServer, account: Account) -> requests.Session:
    """Make another account and sign it in; close the session after use.

    Raises:
        LabelStudioAuthError: The account exists already or the password is too weak.
    """
    return _through_form(server, "/user/signup/", account)


def personal_token(server: LabelStudioServer, account: Account | None = None) -> str:
    """Make a personal access token as the account page does. Label Studio allows one for each account.

    Raises:
        LabelStudioAuthError: The account has one already, which cannot be read again.
    """
    with signed_in(server, account) as session:
        answer = session.post(f"{server.url}/api/token/", timeout=30)
    if answer.status_code != 201:
        raise LabelStudioAuthError(
            f"No personal access token was made (HTTP {answer.status_code}).", hint="Revoke the one that exists."
        )
    return str(answer.json()["token"])


def _through_form(server: LabelStudioServer, path: str, account: Account) -> requests.Session:
    """Fill in a form of the web pages and keep its session, with the header that Django wants of posts."""
    session = requests.Session()
    page = f"{server.url}{path}"
    session.get(page, timeout=30).raise_for_status()
    form = {
        "email": account.email,
        "password": account.password,
        "csrfmiddlewaretoken": session.cookies.get("csrftoken", ""),
    }
    answer = session.post(page, data=form, headers={"Referer": page}, timeout=30, allow_redirects=False)
    if answer.status_code != 302:
        raise LabelStudioAuthError(f"Label Studio did not take {account.email} at {path}.")
    session.headers.update({"X-CSRFToken": str(session.cookies.get("csrftoken", "")), "Referer": server.url})
    return session


def _environment(data: Path, options: ServerOptions) -> dict[str, str]:
    """The server's whole environment: nothing of the caller's reaches it, and it calls nobody outside."""
    switch = "false" if options.private_addresses else "true"
    environment = {
        "PATH": os.defpath,
        "HOME": str(data),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "LABEL_STUDIO_USERNAME": options.account.email,
        "LABEL_STUDIO_PASSWORD": options.account.password,
        "LABEL_STUDIO_USER_TOKEN": options.account.legacy_token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true" if options.legacy_tokens else "false",
        "ML_BLOCK_LOCAL_IP": switch,
        "SSRF_PROTECTION_ENABLED": switch,
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        **options.environment,
    }
    if options.local_files_root is not None:
        environment["LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED"] = "true"
        environment["LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"] = str(options.local_files_root)
    return environment


def _command(environment: Path) -> Path:
    return environment / "bin" / "label-studio"


def _safe_tail(server: LabelStudioServer) -> str:
    secrets = (server.account.password, server.account.legacy_token)
    return re.sub("|".join(re.escape(secret) for secret in secrets if secret) or r"(?!)", "***", tail(server.log))
