"""Record whether Label Studio accepts the backend's token, as the sweep finds out. Knows no request."""

from __future__ import annotations

import logging
from enum import StrEnum

log = logging.getLogger(__name__)

TOKEN_WATCH = "review_copilot.token_watch"  # noqa: S105  # key of the `TokenWatch` in `app.extensions`


class TokenState(StrEnum):
    """What is known about the token."""

    NONE = "none"
    """No token is set."""
    UNKNOWN = "unknown"
    """It has not been used yet."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """Revoked, expired, or without permission: the log is not updated."""


class TokenWatch:
    """Remembers the last outcome and logs each change once. One thread writes, others read."""

    def __init__(self, *, has_token: bool) -> None:
        """Start without an outcome."""
        self.state = TokenState.UNKNOWN if has_token else TokenState.NONE

    def note(self, *, accepted: bool) -> None:
        """Record the outcome of a use of the token."""
        state = TokenState.ACCEPTED if accepted else TokenState.REJECTED
        before, self.state = self.state, state
        if state is TokenState.REJECTED and before is not state:
            log.error(
                "Label Studio rejects the token, so the log is not updated. "
                "Create a new token in Label Studio, set REVIEW_COPILOT_LABEL_STUDIO_TOKEN, and restart the backend."
            )
        elif state is TokenState.ACCEPTED and before is TokenState.REJECTED:
            log.warning("Label Studio accepts the token again")
