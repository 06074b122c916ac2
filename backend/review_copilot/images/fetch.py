"""Fetch the file that a task names, from where the settings allow it. Knows no pixels."""

from __future__ import annotations

import base64
import binascii
import re
import stat
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, unquote, unquote_to_bytes

import httpx

from review_copilot.concurrency.host_slots import HostSlots, HostStuck
from review_copilot.domain.image import ReviewImage
from review_copilot.domain.redaction import LOCAL_FILES, printable
from review_copilot.errors import (
    ImageForbidden,
    ImageNotFound,
    ImageTooLarge,
    ImageUnreachable,
    ImageUnreadable,
    LabelStudioError,
)
from review_copilot.images.decode import open_image
from review_copilot.images.hosts import Trust, trust_in
from review_copilot.outbound.addresses import AddressForbidden, HostUnknown
from review_copilot.outbound.bodies import BodyTooLarge, BodyUnreadable, read_body
from review_copilot.outbound.deadline import call_limits
from review_copilot.outbound.http_client import limited_client

MOST_REDIRECTS = 5

STUCK_AFTER = 0.25
"""Share of the time limit after which a host that answered none of its open requests gets no more."""

LABEL_STUDIO_PATHS = re.compile(
    r"/(data|storage-data|static|tasks/\d+/(presign|resolve)|projects/\d+/(presign|resolve))/"
)
"""Paths of Label Studio that serve files. A task must not make the backend read other paths with its token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Where images may come from, and how large they can be.

    Attributes:
        allowed_hosts: See `hosts.trust_in`; Label Studio's own host need not be named.
        local_files_root: Folder that is served as /data/local-files/; read directly if given.
        max_bytes: Maximum file size.
        max_pixels: Maximum number of pixels, width times height.
        timeout_s: Seconds for the whole fetch: name lookup, connecting, headers and body of every redirect.
        most_per_host: Maximum number of simultaneous fetches from one host, except Label Studio's; at least 1.
        plain_files: Whether a reference can be a path on this machine; only for paths that the user typed.
    """

    allowed_hosts: Sequence[str] = ()
    local_files_root: Path | None = None
    max_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 200_000_000
    timeout_s: float = 20.0
    most_per_host: int = 3
    plain_files: bool = False


class ImageFetcher:
    """Fetches images; implements `ports.ImageSource`. Safe to use from several threads."""

    def __init__(self, *, label_studio_url: str, auth: httpx.Auth | None, limits: FetchLimits) -> None:
        """Configure the fetcher; the first request opens a connection.

        Args:
            label_studio_url: Normalized base URL, including a subpath if Label Studio has one.
            auth: Signs requests to Label Studio and no other host; None without a token.
            limits: Allowed hosts and sizes.
        """
        self._home = httpx.URL(label_studio_url)
        self._sub_path = self._home.path.rstrip("/")
        self._auth = auth
        self._limits = limits
        self._slots = HostSlots(most=limits.most_per_host, patience_s=limits.timeout_s * STUCK_AFTER)
        # A packed file may unpack to a thousand times its size.
        self._client = limited_client(headers={"Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def load(self, reference: str, *, task_id: int | None = None) -> ReviewImage:
        """Fetch an image and read its header.

        Args:
            reference: URL, Label Studio path, cloud URI, or data URI; a path on disk if `plain_files` allows it.
            task_id: The task, for cloud URIs, which Label Studio signs per task.

        Raises:
            ImageError: The image cannot be fetched; the message says why, and how to fix it.
        """
        wanted = reference.strip()
        source = printable(wanted)
        data = self._bytes(wanted, source=source, task_id=task_id)
        return open_image(data, source=source, max_pixels=self._limits.max_pixels)

    def _bytes(self, wanted: str, *, source: str, task_id: int | None) -> bytes:
        scheme = wanted.partition(":")[0].lower() if re.match(r"[A-Za-z][\w+.-]*:", wanted) else ""
        if not wanted:
            raise ImageNotFound(
                "The task has no image.", hint="Check that the value of the Image tag is a field of the task's data."
            )
        if scheme == "data":
            return self._inline(wanted)
        if scheme in {"http", "https"}:
            if not _url(wanted).host:
                raise ImageNotFound(f"The URL {source} has no host.")
            return self._follow(_url(wanted), source=source, signed=False)
        if scheme and "://" in wanted and scheme != "file":
            return self._cloud(wanted, source=source, task_id=task_id)
        if LABEL_STUDIO_PATHS.match(self._below(wanted)):
            return self._upload(self._below(wanted), source=source)
        if self._limits.plain_files:
            return self._file(Path(unquote(wanted[7:]) if scheme == "file" else wanted), source=source)
        raise ImageForbidden(
            f"Label Studio does not serve files under the path {source}.",
            hint="Use a URL, an uploaded file, or a file in a connected storage.",
        )

    def _inline(self, wanted: str) -> bytes:
        head, comma, payload = wanted.partition(",")
        if not comma:
            raise ImageUnreadable("The data URI is truncated.")
        if len(payload) > 3 * self._limits.max_bytes:
            raise self._too_large("The data URI")
        try:
            encoded = unquote_to_bytes(payload)
            data = base64.b64decode(encoded, validate=False) if head.lower().endswith(";base64") else encoded
        except binascii.Error as error:
            raise ImageUnreadable("The data URI is not valid Base64.") from error
        if len(data) > self._limits.max_bytes:
            raise self._too_large("The data URI")
        return data

    def _cloud(self, wanted: str, *, source: str, task_id: int | None) -> bytes:
        if task_id is None:
            raise ImageNotFound(f"{source} is a cloud URI, which can be used only in a Label Studio task.")
        uri = base64.urlsafe_b64encode(wanted.encode()).decode()
        url = self._at_home(f"/tasks/{task_id}/presign/").copy_set_param("fileuri", uri)
        return self._follow(url, source=source, signed=True)

    def _upload(self, path: str, *, source: str) -> bytes:
        root = self._limits.local_files_root
        if root is not None and path.startswith(LOCAL_FILES):
            inside = parse_qs(httpx.URL(path).query.decode()).get("d", [""])[0]
            file = (root / inside.lstrip("/")).resolve()
            if not file.is_relative_to(root.resolve()):
                raise ImageForbidden(f"{source} is outside the folder for local files.")
            return self._file(file, source=source)
        return self._follow(self._at_home(path), source=source, signed=False)

    def _file(self, path: Path, *, source: str) -> bytes:
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # a pipe or a device could be read forever
                raise ImageUnreadable(f"{source} is a folder, a pipe, or a device, not a file.")
            with path.open("rb") as file:
                data = file.read(self._limits.max_bytes + 1)
        except PermissionError as error:
            raise ImageForbidden(f"This user does not have permission to read {source}.") from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ImageNotFound(f"{source} does not exist.") from error
        except (OSError, ValueError) as error:
            raise ImageUnreadable(f"{source} cannot be read as a file.") from error
        if len(data) > self._limits.max_bytes:
            raise self._too_large(source)
        return data

    def _follow(self, url: httpx.URL, *, source: str, signed: bool) -> bytes:
        """Fetch a URL, and check each redirect before following it.

        Args:
            url: The first URL.
            source: For messages.
            signed: Whether Label Studio was asked to sign a link; any public host that it names is then allowed.
        """
        until = time.monotonic() + self._limits.timeout_s
        for _ in range(MOST_REDIRECTS + 1):
            at_home = self._is_home(url)
            trust = Trust.NAMED if at_home else trust_in(url.host, self._limits.allowed_hosts, port=_port(url))
            if trust is Trust.NONE and signed:
                trust = Trust.ANY
            if trust is Trust.NONE:
                raise ImageForbidden(
                    f"The settings do not allow images from the host {url.host}.",
                    hint=f"Add it to the list of allowed hosts: REVIEW_COPILOT_ALLOWED_HOSTS={url.host}",
                )
            slot = nullcontext() if at_home else self._slots.slot(url.host, until=until)
            try:
                with slot, call_limits(until=until, public_only=trust is Trust.ANY):
                    result = self._get(url, source=source, at_home=at_home)
            except HostStuck as error:
                raise ImageUnreachable(
                    f"{source} was not fetched because {url.host} does not answer {self._limits.most_per_host} other "
                    "requests."
                ) from error
            if isinstance(result, bytes):
                return result
            url = result
        raise ImageUnreachable(f"{source} redirects more than {MOST_REDIRECTS} times.")

    def _get(self, url: httpx.URL, *, source: str, at_home: bool) -> bytes | httpx.URL:
        """One request: the file, or the target of the redirect."""
        auth = self._auth if at_home and self._is_below_home(url) else None
        try:
            with self._client.stream("GET", url, auth=auth) as response:
                if response.is_redirect:
                    return self._redirected(response, source=source)
                self._check_status(response, source=source, at_home=at_home)
                return read_body(response, max_bytes=self._limits.max_bytes)
        except BodyTooLarge as error:
            raise self._too_large(source) from error
        except BodyUnreadable as error:
            raise ImageUnreadable(f"{source} cannot be read: the answer of {url.host} {error}.") from error
        except LabelStudioError as error:
            kind = ImageUnreachable if error.retryable else ImageForbidden
            raise kind(f"Cannot fetch {source}: {error.public}", hint=error.hint) from error
        except AddressForbidden as error:
            raise ImageForbidden(
                f"The host {url.host} has a private address.",
                hint="To allow images from it, add it to REVIEW_COPILOT_ALLOWED_HOSTS.",
            ) from error
        except HostUnknown as error:
            raise ImageUnreachable(f"The host {url.host} has no address.") from error
        except httpx.TimeoutException as error:
            raise self._too_slow(source) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ImageUnreachable(f"{source} cannot be reached at {url.host}.") from error

    def _redirected(self, response: httpx.Response, *, source: str) -> httpx.URL:
        target = response.url.join(_url(response.headers.get("Location", "")))
        if target.scheme not in {"http", "https"}:
            raise ImageForbidden(f"{source} redirects to an address that is not HTTP or HTTPS.")
        if self._is_home(target) and "/user/login" in target.path:
            raise ImageForbidden(
                f"Fetching {source} requires a Label Studio token.", hint="Set REVIEW_COPILOT_LABEL_STUDIO_TOKEN."
            )
        return target

    def _check_status(self, response: httpx.Response, *, source: str, at_home: bool) -> None:
        status = response.status_code
        who = "Label Studio" if at_home else response.url.host
        if status in {401, 403}:
            hint = (
                "Check REVIEW_COPILOT_LABEL_STUDIO_TOKEN."
                if at_home
                else "The host requires a signed URL or a sign-in."
            )
            if LOCAL_FILES in response.url.path:
                hint = (
                    "Label Studio serves local files only with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
                    "with a "
                    "local storage in the project that contains the folder."
                )
            raise ImageForbidden(f"{who} denied access to {source} (HTTP {status}).", hint=hint)
        if status in {408, 425, 429, 502, 503, 504} or (status >= 500 and not at_home):
            raise ImageUnreachable(f"{who} is busy (HTTP {status}) and did not return {source}.")
        if status >= 400:  # Label Studio responds with 500 for an unknown upload
            raise ImageNotFound(f"{who} does not have {source} (HTTP {status}).")

    def _below(self, path: str) -> str:
        """A path without the installation's subpath; unchanged if it has none or leads upward."""
        if ".." in unquote(path.partition("?")[0]).split("/"):
            return ""
        return path.removeprefix(self._sub_path) if path.startswith(f"{self._sub_path}/") else path

    def _at_home(self, path: str) -> httpx.URL:
        return self._home.join(f"{self._sub_path}{path}")

    def _is_home(self, url: httpx.URL) -> bool:
        return (url.scheme, url.host, url.port) == (self._home.scheme, self._home.host, self._home.port)

    def _is_below_home(self, url: httpx.URL) -> bool:
        path = self._below(url.path) if url.path.startswith(f"{self._sub_path}/") else ""
        return LABEL_STUDIO_PATHS.match(path) is not None

    def _too_large(self, source: str) -> ImageTooLarge:
        return ImageTooLarge(
            f"{source} is larger than {self._limits.max_bytes} bytes.",
            hint="To allow larger files, raise REVIEW_COPILOT_MAX_IMAGE_BYTES.",
        )

    def _too_slow(self, source: str) -> ImageUnreachable:
        return ImageUnreachable(f"Fetching {source} took more than {self._limits.timeout_s:g} s.")


def _url(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise ImageNotFound(f"{printable(text)} is not a valid URL.") from error


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
