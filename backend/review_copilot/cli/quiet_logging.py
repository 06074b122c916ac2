"""Reduce logging in commands that print failures themselves."""

from __future__ import annotations

import logging


def quiet_failures() -> None:
    """Do not log failed tasks, because the command lists them in order at its end."""
    logging.getLogger("review_copilot.flows.review_context").setLevel(logging.ERROR)
