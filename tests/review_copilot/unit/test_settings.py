"""How settings are written in the environment, and what is said about wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from review_copilot.errors import SettingsError
from review_copilot.settings import PREFIX, load_settings, unknown_settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("a.example.org,b.example.org:8443", ("a.example.org", "b.example.org:8443")),
        (" a.example.org , ", ("a.example.org",)),
        ('["a.example.org", "*"]', ("a.example.org", "*")),
        ("*", ("*",)),
        ("[]", ()),
        ("", ()),
    ],
)
def test_a_list_is_written_with_commas_or_as_json(
    text: str, hosts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(f"{PREFIX}ALLOWED_HOSTS", text)
    assert load_settings().allowed_hosts == hosts
    monkeypatch.delenv(f"{PREFIX}ALLOWED_HOSTS")
    (tmp_path / ".env").write_text(f"{PREFIX}ALLOWED_HOSTS='{text}'\n")
    assert load_settings().allowed_hosts == hosts


def test_objects_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}BLIND_SHARES", '{"7": 0.1}')
    monkeypatch.setenv(f"{PREFIX}MODEL_EXTRA_BODY", '{"seed": 1}')
    monkeypatch.setenv(f"{PREFIX}MODEL_EXTRA_HEADERS", "")
    settings = load_settings()
    assert settings.blind_shares == {7: 0.1}
    assert settings.model_extra_body == {"seed": 1}
    assert settings.model_extra_headers == {}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("PORT", "many", "REVIEW_COPILOT_PORT is invalid: input should be a valid integer"),
        ("ALLOWED_HOSTS", "[a", "REVIEW_COPILOT_ALLOWED_HOSTS is invalid: it is not valid JSON."),
        (
            "ALLOWED_HOSTS",
            "https://a.example.org",
            "REVIEW_COPILOT_ALLOWED_HOSTS is invalid: 'https://a.example.org' is",
        ),
        ("MODEL_EXTRA_BODY", "seed=1", "REVIEW_COPILOT_MODEL_EXTRA_BODY is invalid: it is not valid JSON."),
        ("BLIND_SHARES", '{"7": 3}', "REVIEW_COPILOT_BLIND_SHARES is invalid, entry 7: input should be less than"),
        ("MODEL_RUNS", "x", "REVIEW_COPILOT_MODEL_RUNS is invalid: input should be 'openai' or 'transformers'."),
    ],
)
def test_a_malformed_setting_is_one_sentence(name: str, text: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}{name}", text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.public.startswith(says)
    assert caught.value.public.count(". ") == 0
    assert "\n" not in caught.value.public


def test_every_malformed_setting_gets_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}PORT", "many")
    monkeypatch.setenv(f"{PREFIX}MIN_SCORE", "2")
    with pytest.raises(SettingsError, match=r"PORT is invalid.*MIN_SCORE is invalid"):
        load_settings()


def test_variables_that_no_setting_reads_are_named_with_the_nearest_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(f"{PREFIX}PASWORD", "x")
    monkeypatch.setenv(f"{PREFIX}PASSWORD_FILE", "x")
    monkeypatch.setenv(f"{PREFIX}PORT_FILE", "x")
    monkeypatch.setenv(f"{PREFIX}FAST_KEY", "x")
    (tmp_path / ".env").write_text(f"{PREFIX}UNHEARD_OF=1\n{PREFIX}PORT=9091\nOTHER=1\n")
    found = {unknown.name: unknown for unknown in unknown_settings(known=[f"{PREFIX}FAST_KEY"])}
    assert set(found) == {f"{PREFIX}PASWORD", f"{PREFIX}PORT_FILE", f"{PREFIX}UNHEARD_OF"}
    assert found[f"{PREFIX}PASWORD"].words == (
        "REVIEW_COPILOT_PASWORD is not a setting, so it has no effect. Did you mean REVIEW_COPILOT_PASSWORD?"
    )
    assert found[f"{PREFIX}UNHEARD_OF"].meant == ""
