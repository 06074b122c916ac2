"""Responses of Label Studio's REST API as frozen records. Unknown keys are ignored. Knows no HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class Project(_Record):
    """A project and the settings of it that determine what reviewers see."""

    id: int
    title: str
    created_at: datetime
    label_config: str = ""
    expert_instruction: str = ""
    show_instruction: bool = False
    model_version: str = ""
    show_collab_predictions: bool = True
    evaluate_predictions_automatically: bool = False
    maximum_annotations: int = 1

    @field_validator("label_config", "expert_instruction", "model_version", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        return "" if value is None else value

    @property
    def created_stamp(self) -> str:
        """The creation time as `/predict` sends it after the dot: whole seconds since 1970."""
        return str(int(self.created_at.timestamp()))


class MlBackend(_Record):
    """An ML backend that is connected to a project.

    Attributes:
        state: "CO" connected, "DI" disconnected, "ER" error.
        auth_method: "NONE" or "BASIC_AUTH".
    """

    id: int
    url: str
    title: str = ""
    state: str = ""
    is_interactive: bool = False
    auth_method: str = "NONE"
    basic_auth_user: str | None = None
    basic_auth_pass_is_set: bool = False


class Webhook(_Record):
    """A webhook of a project."""

    id: int
    url: str
    project: int | None = None
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    actions: tuple[str, ...] = ()
    send_for_all_actions: bool = True
    send_payload: bool = True
    is_active: bool = True
