"""Read secrets from files that the environment names, as container platforms mount them. Knows no setting by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from review_copilot.errors import SettingsError

MAX_CHARS = 64 * 1024
ALSO_SECRET = frozenset({"database_url"})
"""Settings that can contain a password without being one."""


class SecretFiles(PydanticBaseSettingsSource):
    """For each secret setting `X`, the variable `X_FILE` can name a file with its value."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of one setting, or None.

        Raises:
            SettingsError: The file cannot be read, or both variables are set.
        """
        name = f"{self.config.get('env_prefix', '')}{field_name}".upper()
        environment = self._environment()
        path = environment.get(f"{name}_FILE") if is_secret(field, field_name) else None
        if not path:
            return None, field_name, False
        if environment.get(name):
            raise SettingsError(f"Both {name} and {name}_FILE are set.", hint="Remove one of them.")
        return _content(Path(path), name=f"{name}_FILE"), field_name, False

    def __call__(self) -> dict[str, Any]:
        """The values of all settings that have a file."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _environment(self) -> Mapping[str, str | None]:
        file = self.config.get("env_file")
        return {**(dotenv_values(str(file)) if file else {}), **os.environ}


def is_secret(field: FieldInfo, name: str) -> bool:
    """Whether a file can hold the value of a setting."""
    return field.annotation is SecretStr or name in ALSO_SECRET


def _content(path: Path, *, name: str) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_CHARS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file that {name} names cannot be read.", hint="Check its path and rights.") from error
    if len(text) > MAX_CHARS:
        raise SettingsError(f"The file that {name} names is too large for a secret.", hint="Check its path.")
    return text.rstrip("\r\n")
