"""The result of one check. Knows nothing that is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from review_copilot.errors import CopilotError


class State(StrEnum):
    """Result of a check."""

    RIGHT = "right"
    WRONG = "wrong"
    NOTE = "note"
    """Not a fault, but it explains what reviewers see."""
    SKIPPED = "skipped"
    """It cannot be checked until another fault is fixed."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table.

    Attributes:
        name: What was checked, such as "token".
        state: The result.
        found: What was found, in one sentence.
        fix: A command, a setting, or a sentence that fixes it; empty if nothing is wrong.
    """

    name: str
    state: State
    found: str
    fix: str = ""


def right(name: str, found: str) -> Check:
    """A check without a fault."""
    return Check(name, State.RIGHT, found)


def wrong(name: str, found: str, fix: str) -> Check:
    """A check with a fault."""
    return Check(name, State.WRONG, found, fix)


def note(name: str, found: str, fix: str = "") -> Check:
    """A check whose result people should know."""
    return Check(name, State.NOTE, found, fix)


def skipped(name: str, needs: str) -> Check:
    """A check that needs something that is wrong."""
    return Check(name, State.SKIPPED, f"Not checked: it needs {needs}.")


def guarded(name: str, check: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """The results of a check; an expected error in it is a fault with the error's own words."""
    try:
        yield from check()
    except CopilotError as error:
        yield wrong(name, error.public, error.hint)


def is_sound(checks: tuple[Check, ...]) -> bool:
    """Whether no check found a fault."""
    return all(check.state is not State.WRONG for check in checks)
