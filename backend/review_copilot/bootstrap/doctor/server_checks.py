"""Check settings, database, Label Studio, and the running backend. Knows no project. Changes nothing."""

from __future__ import annotations

import ipaddress
import os
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

from review_copilot.bootstrap.doctor.check import Check, note, right, skipped, wrong
from review_copilot.bootstrap.parts import instance_of
from review_copilot.bootstrap.running_backend import BackendAnswer, Reach, ask_status, ask_webhook, secret_headers
from review_copilot.errors import LibraryError
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connect import Backend
from review_copilot.labelstudio.releases import TESTED_RELEASE, is_too_old, is_untested, release_numbers
from review_copilot.library.model_connections import read_connections
from review_copilot.ports import Clock
from review_copilot.settings import Settings, unknown_settings
from review_copilot.store import file_of, shown

LEAST_FREE_BYTES = 1024**3
"""Below this, a bulk run can fill the disk: a draft takes about 4 KB, and SQLite's WAL as much again."""

WEBHOOK_WITHIN_S = 1.0
"""Label Studio waits this long for the response to a webhook, and never sends it again."""

MOST_SKEW_S = 20.0
"""Access tokens are renewed this long before they expire; with a larger difference they are used too late."""


def settings_checks(settings: Settings) -> Iterator[Check]:
    """Variables that look like settings and are none."""
    unknown = unknown_settings(known=_keys_of_connections(settings))
    for setting in unknown:
        fix = f"Rename it to {setting.meant}, or remove it." if setting.meant else f"unset {setting.name}"
        yield wrong("settings", setting.words, fix)
    if not unknown:
        yield right("settings", "All REVIEW_COPILOT_ variables are settings.")


def _keys_of_connections(settings: Settings) -> list[str]:
    """The variables that hold the API keys of model connections."""
    try:
        connections = read_connections(settings.models) if settings.models else {}
    except LibraryError:
        return []  # the model check reports it
    return [connection.api_key_env for connection in connections.values() if connection.api_key_env]


def database_checks(settings: Settings, *, least_free_bytes: int = LEAST_FREE_BYTES) -> Iterator[Check]:
    """Place and free space of an open database. Its schema is current, because opening migrates it."""
    file = file_of(settings.database_url)
    if file is None:
        yield right("database", f"{shown(settings.database_url)}, with the current schema.")
        return
    folder = file.absolute().parent
    free = shutil.disk_usage(folder).free
    place = f"{file.absolute()}, with the current schema; {free / 1024**3:.1f} GiB free"
    if not os.access(file, os.W_OK):
        yield wrong("database", f"{file.absolute()} cannot be written.", f"chmod u+w {file.absolute()}")
    elif free < least_free_bytes:
        yield wrong("database", f"{place}.", f"Free space in {folder}, or move it: REVIEW_COPILOT_DATABASE_URL=URL")
    else:
        yield right("database", f"{place}.")


def label_studio_checks(client: LabelStudioClient) -> Iterator[Check]:
    """Whether the server answers, and its release.

    Raises:
        LabelStudioError: It does not answer.
    """
    release, name = client.version(), "Label Studio"
    if release_numbers(release) is None:
        yield wrong(name, f"{client.url} does not name its release.", "Set REVIEW_COPILOT_LABEL_STUDIO_URL correctly.")
    elif is_too_old(release):
        yield wrong(
            name, f"{client.url} runs {release}, which is too old.", f"pip install label-studio=={TESTED_RELEASE}"
        )
    elif is_untested(release):
        yield note(name, f"{client.url} runs {release}. Review Copilot is tested with {TESTED_RELEASE}.")
    else:
        yield right(name, f"{client.url} runs {release}.")


def token_checks(client: LabelStudioClient) -> Iterator[Check]:
    """Whether the server accepts the token.

    Raises:
        LabelStudioError: It rejects the token.
    """
    yield right("token", f"A {client.token_kind.value} token of {client.who()}, accepted.")


def clock_checks(client: LabelStudioClient, clock: Clock) -> Iterator[Check]:
    """The difference between this machine's clock and the server's.

    Raises:
        LabelStudioUnreachable: The server does not answer.
    """
    theirs = client.now()
    if theirs is None:
        yield note("clock", "Label Studio does not report its time.")
        return
    skew_s = abs((clock.now() - theirs).total_seconds())
    if skew_s > MOST_SKEW_S:
        yield wrong(
            "clock",
            f"This machine's clock and Label Studio's differ by {skew_s:.0f} s.",
            "timedatectl set-ntp true (on both machines)",
        )
    else:
        yield right("clock", f"It differs from Label Studio's by {max(0.0, skew_s - 1):.0f} to {skew_s + 1:.0f} s.")


def backend_checks(settings: Settings, backend: Backend) -> Iterator[Check]:
    """Whether the backend runs at its public URL, with this password and this webhook secret, and fast enough."""
    yield public_url_check(settings, backend)
    status = ask_status(backend)
    if status.reach is Reach.UNAUTHORIZED:
        yield right("backend", f"It runs at {backend.url}.")
        yield wrong("password", status.public, status.hint)
        return
    if status.reach is not Reach.ANSWERED:
        yield wrong("backend", status.public, status.hint)
        yield skipped("password", "a running backend")
        return
    yield right("backend", f"Version {status.fields['version']} runs at {backend.url}.")
    if backend.password:
        yield right("password", f"The backend accepts the password for {backend.username}.")
    else:
        yield note("password", "The backend has no password. Anyone who can reach its address can use it.")
    yield from _same_server(settings, status)
    yield _webhook_answer(ask_webhook(backend, headers=secret_headers(backend)))


def public_url_check(settings: Settings, backend: Backend) -> Check:
    """Whether Label Studio could call the backend at that URL, as far as the URL tells."""
    ours, theirs = urlsplit(backend.url).hostname or "", urlsplit(settings.label_studio_url).hostname or ""
    fix = f"REVIEW_COPILOT_PUBLIC_URL=http://ADDRESS-OF-THIS-MACHINE:{settings.port}"
    if ours in {"0.0.0.0", "::", ""}:  # noqa: S104  # compared, not bound
        return wrong("public URL", f"{backend.url} is not an address that Label Studio can call.", fix)
    if _is_loopback(ours) and not _is_loopback(theirs):
        return wrong(
            "public URL",
            f"{backend.url} is this machine only, and Label Studio runs on {theirs}.",
            fix,
        )
    return right("public URL", f"Label Studio calls the backend at {backend.url}.")


def _same_server(settings: Settings, status: BackendAnswer) -> Iterator[Check]:
    """Whether the backend works for the same Label Studio, and whether its token is accepted."""
    theirs, ours = str(status.fields.get("label_studio", "")), instance_of(settings).name
    if theirs != ours:
        yield wrong(
            "backend's server",
            f"The running backend logs for {theirs}, and your settings name {ours}.",
            f"Restart the backend with REVIEW_COPILOT_LABEL_STUDIO_URL={settings.label_studio_url}",
        )
    if status.fields.get("token_state") == "rejected":
        yield wrong(
            "backend's token",
            "Label Studio rejects the token of the running backend, so the log is not updated.",
            "Set REVIEW_COPILOT_LABEL_STUDIO_TOKEN, and restart the backend: review-copilot serve",
        )


def _webhook_answer(answer: BackendAnswer) -> Check:
    name = "webhook secret"
    if answer.reach is not Reach.ANSWERED:
        return wrong(name, answer.public, answer.hint)
    if answer.elapsed_s > WEBHOOK_WITHIN_S:
        return wrong(
            name,
            f"The backend needed {answer.elapsed_s:.1f} s for a webhook. Label Studio waits {WEBHOOK_WITHIN_S:g} s.",
            "Give the backend's machine more power, or serve with more threads: review-copilot serve --threads 32",
        )
    return right(name, f"The backend accepts it, and answers a webhook in {answer.elapsed_s:.2f} s.")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
