"""Install and run Label Studio, for the demo and the end-to-end tests. Knows no project and no backend."""

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
from review_copilot.labelstudio.releases import TESTED_RELEASE

VERSION = TESTED_RELEASE
"""The release that this product is tested with."""

READY_WITHIN_S = 900.0
"""Maximum time of a start. The first one creates a database: about 15 s on an idle machine, minutes on a busy one.
A server that fails exits by itself, which ends the wait at once."""


@dataclass(frozen=True, slots=True)
class Account:
    """A Label Studio account.

    Attributes:
        email: Email address to sign in with.
        password: At least 8 characters.
        legacy_token: 40 hex digits that become the first account's legacy token.
    """

    email: str = "reviewer@example.org"
    password: str = field(default="review-copilot", repr=False)
    legacy_token: str = field(default="c0b1107c0b1107c0b1107c0b1107c0b1107c0b11", repr=False)


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Options of the server.

    Attributes:
        account: The first account, owner of the organization.
        legacy_tokens: Whether legacy tokens work. A new installation allows only personal access tokens.
        private_addresses: Whether the server may call backends and webhooks on loopback and private addresses;
            a new installation may not.
        local_files_root: Folder that the server serves under /data/local-files/; None serves no folder.
        port: Port to listen on; 0 chooses a free one.
        environment: Additional environment variables of the server.
    """

    account: Account = field(default_factory=Account)
    legacy_tokens: bool = True
    private_addresses: bool = True
    local_files_root: Path | None = None
    port: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelStudioServer:
    """A running server.

    Attributes:
        url: Base URL, without a trailing slash.
        options: Its options.
        pid: Process id, which is also the id of its process group.
        log: File with its output.
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
    """Install Label Studio in `home/venv`, unless `home` or `home/venv` is an environment with Label Studio.

    Args:
        home: An existing environment, or a folder to create one in.
        say: Called with each line of progress.

    Returns:
        The environment's folder.

    Raises:
        LabelStudioError: The installation failed. The message contains the end of the log.
    """
    for environment in (home, home / "venv"):
        if _command(environment).exists():
            return environment
    environment = home / "venv"
    say(f"Installing Label Studio {VERSION} (about 1 GB; takes a minute or two) ...")
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
        raise LabelStudioError("Label Studio was installed, but its command is missing.", hint=f"See the log in {log}.")
    return environment


def _install_step(command: list[str], *, sink_path: Path, sink_fd: int, say: Callable[[str], None]) -> None:
    """Run one step, and report its progress every ten seconds.

    Raises:
        LabelStudioError: The step failed.
    """
    began = time.monotonic()
    with subprocess.Popen(command, stdout=sink_fd, stderr=subprocess.STDOUT, start_new_session=True) as process:  # noqa: S603  # a fixed command
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
            hint=f"Fix the cause and run the command again. See the whole log in {sink_path}.",
        )


@contextmanager
def running(
    environment: Path, *, data: Path, options: ServerOptions, say: Callable[[str], None] = lambda _line: None
) -> Iterator[LabelStudioServer]:
    """Run a server during the block. Leaves no process behind.

    Args:
        environment: The environment that `install` returned.
        data: Folder for its database and uploads. An existing database is reused.
        options: Options of the server.
        say: Called with a line of progress every ten seconds until it is ready.

    Raises:
        DemoFailed: It exited or did not respond in time. The message contains the end of the log without secrets.
    """
    data.mkdir(parents=True, exist_ok=True)
    log = data / "label-studio.log"
    port = options.port or free_port()
    command = [str(_command(environment)), "start", "--port", str(port), "--internal-host", "127.0.0.1", "--no-browser"]
    with log.open("ab") as sink:
        process = subprocess.Popen(  # noqa: S603  # a fixed command
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
            log_end=lambda: _safe_tail(server),
            say=say,
        )
        yield server
    finally:
        end_group(process)


def free_port() -> int:
    """Find a free port on the loopback address. Another process can take it before it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def signed_in(server: LabelStudioServer, account: Account | None = None) -> requests.Session:
    """Sign an account in, and return its session, which can send POST requests. Close the session after use.

    Raises:
        LabelStudioAuthError: The server rejects the password.
    """
    who = account or server.account
    return _through_form(server, "/user/login/", who)


def sign_up(server: LabelStudioServer, account: Account) -> requests.Session:
    """Create another account and sign it in. Close the session after use.

    Raises:
        LabelStudioAuthError: The account already exists, or the password is too weak.
    """
    return _through_form(server, "/user/signup/", account)


def personal_token(server: LabelStudioServer, account: Account | None = None) -> str:
    """Create a personal access token, as the account page does. Label Studio allows one per account.

    Raises:
        LabelStudioAuthError: The account already has a token, which cannot be read again.
    """
    with signed_in(server, account) as session:
        answer = session.post(f"{server.url}/api/token/", timeout=30)
    if answer.status_code != 201:
        raise LabelStudioAuthError(
            f"Label Studio did not create a personal access token (HTTP {answer.status_code}).",
            hint="Revoke the existing token first.",
        )
    return str(answer.json()["token"])


def _through_form(server: LabelStudioServer, path: str, account: Account) -> requests.Session:
    """Submit a form of the web pages, and return the session with the header that Django requires for POST requests."""
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
        raise LabelStudioAuthError(
            f"Label Studio rejected {account.email} at {path}.", hint="Check the email address and the password."
        )
    session.headers.update({"X-CSRFToken": str(session.cookies.get("csrftoken", "")), "Referer": server.url})
    return session


def _environment(data: Path, options: ServerOptions) -> dict[str, str]:
    """The server's whole environment. It inherits no variables, and it sends no analytics or version checks."""
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
