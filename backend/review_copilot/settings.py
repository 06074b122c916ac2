"""The settings, read once from the environment or a `.env` file. Nothing else reads the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from review_copilot.errors import SettingsError

PREFIX = "REVIEW_COPILOT_"


class Settings(BaseSettings):
    """Every knob, with its default. The environment name is the field's in capitals behind `REVIEW_COPILOT_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    label_studio_url: str = Field("http://localhost:8080", description="Where the backend reaches Label Studio.")
    label_studio_token: SecretStr = Field(
        SecretStr(""),
        description="Access token of Label Studio, personal or legacy; without it the log is unconfirmed.",
    )
    instance: str = Field("", description="Name of the Label Studio in the log; its URL when empty.")
    label_studio_link: str = Field(
        "", description="Label Studio's URL in people's browsers, for links; LABEL_STUDIO_URL when empty."
    )
    guideline: str = Field("photo-quality", description="Guideline to review by: a shipped name or the path of a file.")
    inspector: str = Field("builtin", description="Which inspector drafts: builtin, openai, transformers, hybrid ...")

    database_url: str = Field(
        "sqlite:///review-copilot.db", description="SQLAlchemy URL of the log: SQLite or PostgreSQL."
    )
    pseudonym_key: SecretStr = Field(
        SecretStr(""),
        description="Secret under which people become pseudonyms in the log, for good; their ids are kept when empty.",
    )

    host: str = Field("127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(9090, ge=0, le=65535, description="Port that `serve` listens on.")
    public_url: str = Field(
        "", description="The backend's URL as Label Studio reaches it; http://HOST:PORT when empty."
    )
    username: str = Field("copilot", description="Basic-auth name that Label Studio sends to the backend.")
    password: SecretStr = Field(
        SecretStr(""), description="Basic-auth password that Label Studio sends to the backend."
    )
    webhook_secret: SecretStr = Field(
        SecretStr(""), description="Secret that the webhook sends in its header; made from the password when empty."
    )
    allow_anonymous: bool = Field(False, description="Serve without a password. Taken on a loopback address only.")

    allowed_hosts: tuple[str, ...] = Field(
        (), description='Hosts that images may come from besides Label Studio\'s, as a JSON list; ["*"] for any.'
    )
    local_files_root: Path | None = Field(
        None, description="Folder that stands behind Label Studio's /data/local-files/; read directly when set."
    )
    max_image_bytes: int = Field(64 * 1024 * 1024, gt=0, description="Largest image file in bytes.")
    max_image_pixels: int = Field(200_000_000, gt=0, description="Largest image in pixels.")
    fetch_timeout_s: float = Field(20.0, gt=0, description="Seconds to wait for an image.")

    min_score: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Suggestions below this score are dropped, and counted. Adds to the inspector's own.",
    )
    sweep_every_s: float = Field(30.0, gt=0, description="Seconds between two sweeps while serving.")
    pages_per_s: float = Field(
        5.0, ge=0, description="Most pages of 100 tasks read from Label Studio in a second; 0 for no limit."
    )
    blind_share: float = Field(
        0.0, ge=0, le=1, description="Share of tasks whose suggestions are made and kept, but not shown to reviewers."
    )
    blind_shares: dict[int, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description='The same for single projects by id, as JSON such as {"7": 0.1}.'
    )
    blind_seed: SecretStr = Field(
        SecretStr(""), description="Secret that chooses the tasks of the blind share; another one chooses others."
    )
    predict_deadline_s: float = Field(85.0, gt=0, description="Seconds after which /predict answers with what it has.")
    lease_s: float = Field(
        120.0, ge=5, description="Seconds after which late work of a backend that died is taken up by another one."
    )
    concurrency: int = Field(4, ge=1, description="Images inspected at once; with a model, requests to it at once.")
    editing_budget_s: float = Field(
        3.0, gt=0, description="Seconds for seams and copied patches of one image, where the guideline asks for them."
    )

    model: str = Field(
        "", description="Model of the inspectors openai, transformers and hybrid: its name there, or a local folder."
    )
    model_base_url: str = Field(
        "", description="OpenAI-compatible endpoint, up to and with /v1; OpenAI's own when empty."
    )
    model_api_key: SecretStr = Field(SecretStr(""), description="Key of that endpoint; empty where none is asked for.")
    model_runs: Literal["openai", "transformers"] = Field(
        "openai", description="Which of the two stands behind the inspector hybrid."
    )
    model_timeout_s: float = Field(80.0, gt=0, description="Seconds for one image, waiting and retries counted.")
    model_concurrency: int | None = Field(
        None,
        ge=1,
        description="Requests to the endpoint at once, Magic and second looks counted; one more than CONCURRENCY when "
        "empty, kept for Magic.",
    )
    model_max_tokens: int = Field(2048, ge=64, description="Length limit of a reply.")
    model_close_ups: int = Field(
        6, ge=0, le=12, description="Most full-size parts beside the whole image, where the guideline asks for detail."
    )
    model_second_look: bool = Field(
        False, description="Crop each box and ask again whether the flaw is there; costs a call for each box."
    )
    model_budget_usd: float | None = Field(
        None, gt=0, description="Most US dollars that a run may spend, or all backends in a day. No limit when empty."
    )
    model_cache: Path | None = Field(
        Path("review-copilot-replies"),
        description="Folder where replies are kept, so that none is paid for twice; with PostgreSQL they are there.",
    )
    model_profile: str = Field("", description="Name of a model profile; found by the model's name when empty.")
    model_profiles: Path | None = Field(
        None, description="Your own profiles.yaml, looked through before the shipped one; `probe` writes to it."
    )
    model_prices: Path | None = Field(None, description="Your own prices.yaml, looked through before the shipped one.")
    model_device: str = Field("auto", description="Where a local model runs: auto, cpu, cuda, cuda:1, mps.")
    model_dtype: str = Field("auto", description="Numbers of a local model: auto, float32, bfloat16, float16.")
    embedding_model: str = Field(
        "", description="Local embedding model (folder) by which `report` tells novel crops apart; measured when empty."
    )
    model_batch_size: int = Field(4, ge=1, description="Most images in one run of a local model.")

    @property
    def database_is_shared(self) -> bool:
        """Whether several machines may use the database: PostgreSQL, and not a file of SQLite."""
        return not self.database_url.startswith("sqlite")


def load_settings(**overrides: object) -> Settings:
    """Read the settings; keyword arguments go before the environment.

    Raises:
        SettingsError: Names every variable that is wrong.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        wrong = "; ".join(
            f"{PREFIX}{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}" for item in error.errors()
        )
        raise SettingsError(
            f"The settings are wrong: {wrong}.", hint="Mend them in the environment or in .env."
        ) from error
