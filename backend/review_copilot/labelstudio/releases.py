"""Which releases of Label Studio this product supports. Knows no server."""

from __future__ import annotations

import re

TESTED_RELEASE = "1.23.2"
"""The release that this product is tested with."""

OLDEST_RELEASE = (1, 23)
"""Older releases lack routes and fields that this product reads."""


def release_numbers(release: str) -> tuple[int, int] | None:
    """Major and minor number of a release such as "1.23.2"; None if the text is no release."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", release)
    return (int(found[1]), int(found[2])) if found else None


def is_too_old(release: str) -> bool:
    """Whether this product does not support the release; false if the text is no release."""
    numbers = release_numbers(release)
    return numbers is not None and numbers < OLDEST_RELEASE


def is_untested(release: str) -> bool:
    """Whether the release has other major and minor numbers than the tested one."""
    return release_numbers(release) != release_numbers(TESTED_RELEASE)
