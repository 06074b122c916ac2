"""The settings, read once from the environment or a `.env` file. Nothing else reads the environment."""

from __future__ import annotations

from pathlib import Path

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
    guideline: str = Field("photo-quality", description="Guideline to review by: a shipped name or the path of a file.")
    inspector: str = Field("builtin", description="Which inspector drafts: builtin, openai, transformers, hybrid ...")

    database_url: str = Field(
        "sqlite:///review-copilot.db", description="SQLAlchemy URL of the log: SQLite or PostgreSQL."
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

    min_score: float = Field(0.3, ge=0, le=1, description="Suggestions below this score are dropped, and counted.")
    sweep_every_s: float = Field(30.0, gt=0, description="Seconds between two sweeps while serving.")
    pages_per_s: float = Field(
        5.0, ge=0, description="Most pages of 100 tasks read from Label Studio in a second; 0 for no limit."
    )
    predict_deadline_s: float = Field(85.0, gt=0, description="Seconds after which /predict answers with what it has.")
    concurrency: int = Field(4, ge=1, description="Images inspected at once.")


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
