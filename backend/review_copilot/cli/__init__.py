"""The command line.

Importing this package loads no command, so the worker processes of `inspect` start in a third of the time.
"""

from __future__ import annotations


def main() -> None:
    """Entry point of the `review-copilot` command."""
    from review_copilot.cli.typer_app import run  # noqa: PLC0415  see above

    run()
