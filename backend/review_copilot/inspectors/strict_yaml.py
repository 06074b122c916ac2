"""Read a small YAML file whose every key is known. Knows no file system and no particular file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from review_copilot.errors import LibraryError


class Strict(BaseModel):
    """A mapping that refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


StrictT = TypeVar("StrictT", bound=Strict)


def read_strict(text: str, shape: type[StrictT], *, name: str, example: str) -> StrictT:
    """The file in its shape.

    Args:
        text: YAML.
        shape: What it must hold.
        name: What to call the file in an error.
        example: A file that is right, for the hint.

    Raises:
        LibraryError: The file is no YAML, has an unknown key or a wrong value.
    """
    try:
        return shape.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise LibraryError(f"{name} is no YAML: {' '.join(str(error).split())}.") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
        raise LibraryError(f"{name}: {wrong}.", hint=f"See {example} for an example.") from error


def check_matches(expressions: Iterable[str], *, name: str) -> None:
    """Raise unless all are regular expressions.

    Raises:
        LibraryError: One is not.
    """
    for expression in expressions:
        try:
            re.compile(expression)
        except re.error as error:
            raise LibraryError(f"{name}: a `match` is no regular expression: {error}.") from error
