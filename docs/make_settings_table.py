"""Write the settings table of the README from `settings.py`; with `--check`, only check that it is up to date."""

from __future__ import annotations

from pydantic import SecretStr
from readme_tables import refresh

from review_copilot.settings import PREFIX, Settings


def table() -> str:
    """The table in Markdown, with one row per setting in the order of the class."""
    lines = ["| Setting | Default | Meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        stated = name == "home" or field.default_factory_takes_validated_data  # the description says it
        default = None if stated else field.get_default(call_default_factory=True)
        shown = "" if isinstance(default, SecretStr) or default in ("", None, (), {}) else f"`{default}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(refresh("settings", source="backend/review_copilot/settings.py", table=table()))
