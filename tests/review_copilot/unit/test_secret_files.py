"""Every secret can come from a file; what is wrong with one is said without its content."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from review_copilot.errors import SettingsError
from review_copilot.settings import PREFIX, Settings, load_settings

SECRETS = [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_there_are_secrets() -> None:
    assert {"label_studio_token", "password", "webhook_secret", "model_api_key", "pseudonym_key"} <= set(SECRETS)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
@pytest.mark.parametrize("where", ["environment", ".env"])
@pytest.mark.parametrize("name", [*SECRETS, "database_url"])
def test_each_secret_from_a_file(
    name: str, where: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_bytes(f" s3cret:// {ending}".encode())
    variable = f"{PREFIX}{name.upper()}_FILE"
    if where == "environment":
        monkeypatch.setenv(variable, str(tmp_path / "secret"))
    else:
        (tmp_path / ".env").write_text(f"{variable}={tmp_path / 'secret'}\n")
    value = getattr(load_settings(), name)
    assert (value.get_secret_value() if isinstance(value, SecretStr) else value) == " s3cret:// "


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read"), (b"\xff\xfe", "cannot be read"), (b"s3cret" * 20_000, "too large")],
)
def test_files_that_hold_no_secret(
    content: bytes | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    monkeypatch.setenv(f"{PREFIX}PASSWORD_FILE", str(tmp_path / "secret"))
    with pytest.raises(SettingsError, match=says) as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


def test_a_secret_that_is_set_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("one")
    monkeypatch.setenv(f"{PREFIX}PASSWORD_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv(f"{PREFIX}PASSWORD", "two")
    with pytest.raises(SettingsError, match="Both REVIEW_COPILOT_PASSWORD and REVIEW_COPILOT_PASSWORD_FILE are set"):
        load_settings()


@pytest.mark.parametrize("text", ["[", "not JSON", '{"a": 1}', "[" * 5000])
def test_a_setting_that_is_no_json(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}ALLOWED_HOSTS", text)
    with pytest.raises(SettingsError):
        load_settings()
