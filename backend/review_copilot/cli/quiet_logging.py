"""What a command says by itself need not be logged as well."""

from __future__ import annotations

import logging


def quiet_failures() -> None:
    """Keep failed tasks out of the log: the command lists them in order at its end."""
    logging.getLogger("review_copilot.flows.review_context").setLevel(logging.ERROR)
