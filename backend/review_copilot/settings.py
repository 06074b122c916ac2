"""The settings, read once from the environment or a `.env` file. No other module reads the environment."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from review_copilot.errors import SettingsError
from review_copilot.secret_files import SecretFiles, is_secret

PREFIX = "REVIEW_COPILOT_"
DATABASE = "review-copilot.db"
REPLIES = "replies"


def user_data_folder() -> Path:
    """The folder for this product's data of this user, by the platform's convention."""
    return platformdirs.user_data_path("review-copilot", appauthor=False)


def database_in(folder: Path) -> str:
    """URL of the SQLite database in a folder."""
    return f"sqlite:///{folder / DATABASE}"


ENV_FILE = ".env"
DEPENDENT = "default_factory_not_called"
"""Kind of an error of a default that depends on another setting, which is invalid and has an error of its own."""


def _json(text: str) -> object:
    """The value that a JSON text holds.

    Raises:
        ValueError: It is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not valid JSON") from None


def _list(value: object) -> object:
    """A list from `a,b`, from JSON, or as it is; empty from an empty text."""
    if not isinstance(value, str):
        return value
    if value.strip().startswith(("[", "{")):
        return _json(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _hosts(entries: tuple[str, ...]) -> tuple[str, ...]:
    """The hosts as they are.

    Raises:
        ValueError: One of them is no host, but a URL or several words.
    """
    for entry in entries:
        if re.search(r"[\s/]", entry):
            raise ValueError(f"{entry!r} is not a host, write it without a scheme, a path, and spaces")
    return entries


def _object(value: object) -> object:
    """A JSON object from its text, or as it is; empty from an empty text."""
    if not isinstance(value, str):
        return value
    return _json(value) if value.strip() else {}


class Settings(BaseSettings):
    """All settings with their defaults. A setting's environment variable is `REVIEW_COPILOT_` and its field name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values given in code come first, then the environment, files of secrets, and `.env`."""
        del file_secret_settings  # ours names one file for each secret
        return init_settings, env_settings, SecretFiles(settings_cls), dotenv_settings

    label_studio_url: str = Field(
        "http://localhost:8080", description="URL of Label Studio, as the backend reaches it."
    )
    label_studio_token: SecretStr = Field(
        SecretStr(""),
        description="Label Studio access token, personal or legacy. Without one, log rows stay unconfirmed.",
    )
    instance: str = Field("", description="Name of this Label Studio in the log. Default: its URL.")
    label_studio_link: str = Field(
        "", description="Label Studio's URL in users' browsers, for links. Default: LABEL_STUDIO_URL."
    )
    guideline: str = Field(
        "photo-quality", description="Guideline to review by: the name of a built-in one, or a file path."
    )
    inspector: str = Field(
        "builtin", description="Inspector that drafts: builtin, openai, transformers, hybrid, or your own."
    )

    home: Path = Field(
        default_factory=user_data_folder,
        description="Folder of the database and the cached model replies. Default: the user's data folder.",
    )
    database_url: str = Field(
        default_factory=lambda settings: database_in(settings.get("home") or user_data_folder()),
        description="SQLAlchemy URL of the database: SQLite or PostgreSQL. Default: review-copilot.db in HOME.",
    )
    pseudonym_key: SecretStr = Field(
        SecretStr(""),
        description="Secret key that replaces user ids in the log with pseudonyms, permanently. Empty keeps the ids.",
    )

    host: str = Field("127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(9090, ge=0, le=65535, description="Port that `serve` listens on.")
    public_url: str = Field(
        "", description="URL of the backend, as Label Studio reaches it. Default: http://HOST:PORT."
    )
    username: str = Field("copilot", description="Basic-auth username that Label Studio sends to the backend.")
    password: SecretStr = Field(
        SecretStr(""), description="Basic-auth password that Label Studio sends to the backend."
    )
    webhook_secret: SecretStr = Field(
        SecretStr(""), description="Secret that all webhooks send in their header. Default: a random one per project."
    )
    allow_anonymous: bool = Field(False, description="Serve without a password. Allowed on a loopback address only.")

    trusted_proxies: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list)] = Field(
        (),
        description="Addresses or networks of reverse proxies whose X-Forwarded-For and USER_HEADER count, "
        "separated by commas or as a JSON list. Empty trusts none.",
    )
    user_header: str = Field(
        "",
        description="Header in which a trusted proxy names the user that it signed in, such as X-Forwarded-User. Such "
        "users can read pages without the password. Empty: off.",
    )

    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list), AfterValidator(_hosts)] = Field(
        (),
        description="Additional hosts that images may come from, separated by commas or as a JSON list; "
        "`*` allows any public one. A host may include a port.",
    )
    local_files_root: Path | None = Field(
        None,
        description="Folder that Label Studio serves as /data/local-files/; if set, files are read from it.",
    )
    max_image_bytes: int = Field(64 * 1024 * 1024, gt=0, description="Maximum size of an image file, in bytes.")
    max_image_pixels: int = Field(200_000_000, gt=0, description="Maximum size of an image, in pixels.")
    image_memory_bytes: int = Field(
        2 * 1024**3, gt=0, description="Memory for decoded images, in bytes. A larger image is inspected on its own."
    )
    fetch_timeout_s: float = Field(
        20.0, gt=0, description="Timeout for fetching an image, in seconds, including all redirects."
    )

    min_score: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Suggestions with a lower score are dropped and counted, beyond the inspector's own limits.",
    )
    sweep_every_s: float = Field(30.0, gt=0, description="Seconds between two sweeps while the backend runs.")
    pages_per_s: float = Field(
        5.0, ge=0, description="Maximum pages of 100 tasks read from Label Studio per second; 0 means no limit."
    )
    blind_share: float = Field(
        0.0, ge=0, le=1, description="Share of tasks, 0 to 1, whose suggestions are stored but not shown to reviewers."
    )
    blind_shares: Annotated[dict[int, Annotated[float, Field(ge=0, le=1)]], NoDecode, BeforeValidator(_object)] = Field(
        default_factory=dict, description='Blind share of individual projects by id, as JSON, for example {"7": 0.1}.'
    )
    blind_seed: SecretStr = Field(
        SecretStr(""), description="Secret that determines which tasks are in the blind share."
    )
    predict_deadline_s: float = Field(
        85.0, gt=0, description="Seconds after which /predict returns the drafts that are ready."
    )
    lease_s: float = Field(
        120.0, ge=5, description="Seconds after which another backend takes over pending drafts of one that stopped."
    )
    concurrency: int = Field(
        4, ge=1, description="Images inspected at the same time; with a model, simultaneous requests to it."
    )
    editing_budget_s: float = Field(
        3.0,
        gt=0,
        description="Seconds per image to search for seams and copied patches, if the guideline asks for them.",
    )

    model: str = Field(
        "", description="Model of the inspectors openai, transformers, and hybrid: a model name or a local folder."
    )
    models: Path | None = Field(
        None, description="File with named model connections (models.yaml), for projects with their own setup."
    )
    model_base_url: str = Field(
        "", description="Base URL of an OpenAI-compatible endpoint, including /v1. Default: OpenAI's."
    )
    model_api_key: SecretStr = Field(SecretStr(""), description="API key of that endpoint; empty if it needs none.")
    model_runs: Literal["openai", "transformers"] = Field(
        "openai", description="Model inspector that `hybrid` uses: openai or transformers."
    )
    model_timeout_s: float = Field(
        80.0, gt=0, description="Timeout for one image in seconds, including waiting and retries."
    )
    model_concurrency: int | None = Field(
        None,
        ge=1,
        description="Simultaneous requests to the endpoint, including Magic and second looks. Default: CONCURRENCY "
        "plus one, which is reserved for Magic.",
    )
    model_max_tokens: int = Field(2048, ge=64, description="Maximum length of a reply, in tokens.")
    model_reasoning_effort: str = Field(
        "", description="How hard a thinking model thinks, in its provider's words, such as low; not sent when empty."
    )
    model_extra_body: Annotated[dict[str, Any], NoDecode, BeforeValidator(_object)] = Field(
        default_factory=dict, description='More fields of each request to the endpoint, as JSON such as {"seed": 1}.'
    )
    model_extra_headers: Annotated[dict[str, str], NoDecode, BeforeValidator(_object)] = Field(
        default_factory=dict,
        repr=False,
        description='More headers of each request, as JSON such as {"X-Title": "Review"}.',
    )
    model_close_ups: int = Field(
        6,
        ge=0,
        le=12,
        description="Maximum full-size crops sent with the whole image, if the guideline asks for detail.",
    )
    model_second_look: bool = Field(
        False, description="Crop each box and ask the model again whether it shows the flaw. Costs one call per box."
    )
    model_budget_usd: float | None = Field(
        None,
        gt=0,
        description="Maximum US dollars per run, or per day for all backends together. Empty means no limit.",
    )
    model_cache: Path | None = Field(
        default_factory=lambda settings: (settings.get("home") or user_data_folder()) / REPLIES,
        description="Folder that caches model replies, so that you pay for each only once. Default: replies in HOME. "
        "PostgreSQL replaces it.",
    )
    model_prompts: Path | None = Field(
        None,
        description="Folder with your own prompt templates. The built-in ones replace those that it does not have.",
    )
    model_profile: str = Field("", description="Name of a model profile. Default: chosen by the model's name.")
    model_profiles: Path | None = Field(
        None, description="Your own profiles.yaml, which takes precedence over the built-in one. `probe` writes to it."
    )
    model_prices: Path | None = Field(
        None, description="Your own prices.yaml, which takes precedence over the built-in one."
    )
    model_device: str = Field("auto", description="Device for a local model: auto, cpu, cuda, cuda:1, or mps.")
    model_dtype: str = Field("auto", description="Data type of a local model: auto, float32, bfloat16, or float16.")
    embedding_model: str = Field(
        "",
        description="Folder of a local embedding model for novel crops in `report`. Default: measured features.",
    )
    model_batch_size: int = Field(4, ge=1, description="Maximum images in one batch of a local model.")

    @property
    def database_is_at_home(self) -> bool:
        """Whether the database is the default one in the home folder."""
        return self.database_url == database_in(self.home)

    @property
    def database_is_shared(self) -> bool:
        """Whether several machines may use the database: PostgreSQL, and not a file of SQLite."""
        return not self.database_url.startswith("sqlite")


def load_settings(**overrides: object) -> Settings:
    """Read the settings; keyword arguments take precedence over the environment.

    Raises:
        SettingsError: A setting is invalid; the message names every such variable.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        own = [item for item in error.errors() if item["type"] != DEPENDENT]
        wrong = " ".join(_sentence(item["loc"], item["msg"]) for item in own)
        raise SettingsError(wrong, hint=f"Fix it in the environment or in {ENV_FILE}.") from None


def _sentence(place: tuple[int | str, ...], said: str) -> str:
    """What is wrong with one setting, without its value, which may be a secret."""
    name, *inside = [str(part) for part in place]
    where = f", entry {'.'.join(inside)}" if inside else ""
    said = said.removeprefix("Value error, ")
    return f"{PREFIX}{name.upper()} is invalid{where}: {said[:1].lower()}{said[1:].rstrip('.')}."


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A variable with our prefix that no setting reads.

    Attributes:
        name: The variable.
        meant: The setting whose name is nearest, with the prefix; empty if none is near.
    """

    name: str
    meant: str

    @property
    def words(self) -> str:
        """One sentence about it."""
        meant = f" Did you mean {self.meant}?" if self.meant else ""
        return f"{self.name} is not a setting, so it has no effect.{meant}"


def unknown_settings(*, known: Collection[str] = ()) -> tuple[UnknownSetting, ...]:
    """The variables in the environment and in `.env` that look like settings and are none, by name.

    Args:
        known: Variables that something else reads, such as the API key of a model connection.
    """
    fields = Settings.model_fields.items()
    settings = {f"{PREFIX}{name.upper()}" for name, _ in fields}
    files = {f"{PREFIX}{name.upper()}_FILE" for name, field in fields if is_secret(field, name)}
    given = {name.upper() for name in (*os.environ, *dotenv_values(ENV_FILE))}
    unknown = {name for name in given if name.startswith(PREFIX)} - settings - files - {name.upper() for name in known}
    return tuple(UnknownSetting(name, _nearest(name, settings | files)) for name in sorted(unknown))


def _nearest(name: str, known: Collection[str]) -> str:
    """The known name that is most alike after the common prefix; empty if none is near."""
    endings = [other.removeprefix(PREFIX) for other in known]
    near = difflib.get_close_matches(name.removeprefix(PREFIX), endings, n=1, cutoff=0.7)
    return f"{PREFIX}{near[0]}" if near else ""
