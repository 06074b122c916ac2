"""Read `models.yaml`: model connections by name, so that a project's setup names one and holds no secret.

fast:
base_url: https://api.example.com/v1
model: a-small-model
api_key_env: EXAMPLE_KEY        # or api_key_file: a path
on-this-machine:
base_url: http://127.0.0.1:8000/v1
model: a-local-model
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from review_copilot.errors import LibraryError


@dataclass(frozen=True, slots=True)
class ModelConnection:
    """One model at one endpoint.

    Attributes:
        name: As setups name it.
        model: The model's name at its endpoint.
        base_url: Address of the endpoint up to and including `/v1`; empty for OpenAI's.
        api_key_env: Environment variable that holds the key; empty where no key is needed.
        api_key_file: File that holds the key; None where the key is elsewhere.
    """

    name: str
    model: str
    base_url: str = ""
    api_key_env: str = ""
    api_key_file: Path | None = None


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    base_url: str = ""
    api_key_env: str = ""
    api_key_file: Path | None = None


_ENTRIES: TypeAdapter[dict[str, _Entry]] = TypeAdapter(dict[str, _Entry])


def read_connections(path: Path) -> Mapping[str, ModelConnection]:
    """The connections of a file, by name.

    Raises:
        LibraryError: The file cannot be read, is not YAML, or has an entry with an unknown or missing key.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LibraryError(
            f"The model connections in {path} cannot be read: {error}.", hint="Check the path and the YAML syntax."
        ) from error
    try:
        entries = _ENTRIES.validate_python(raw or {})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise LibraryError(
            f"The model connections in {path} are wrong: {wrong}.",
            hint="Each name has a model, and optionally base_url, api_key_env, api_key_file.",
        ) from error
    return {name: ModelConnection(name, **entry.model_dump()) for name, entry in entries.items()}


def connection_named(name: str, known: Mapping[str, ModelConnection]) -> ModelConnection:
    """The connection of that name.

    Raises:
        LibraryError: There is none; the error names the nearest.
    """
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else f"Defined are: {', '.join(known) or 'none'}."
    raise LibraryError(f'There is no model connection named "{name}".', hint=f"{hint} Set REVIEW_COPILOT_MODELS.")
