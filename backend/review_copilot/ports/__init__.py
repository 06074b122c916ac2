"""What flows need from the outside, as small Protocols. Knows no implementation."""

from review_copilot.ports.chunks import ColumnChunk, ColumnLog, Packing, Part
from review_copilot.ports.inspecting import Clock, CropMeasure, Engine, ImageSource, Inspector, ReplyCache
from review_copilot.ports.labeling import (
    BodyReader,
    PredictionOrigin,
    StoredPrediction,
    TaskState,
    WebhookContent,
    WebhookNotice,
    Workspace,
    WorkspaceOpener,
)
from review_copilot.ports.limits import Budget, ConcurrencyLimit, NamedLocks, Shared
from review_copilot.ports.storage import (
    Appended,
    Bookmarks,
    Inbox,
    OverrideLog,
    PendingDrafts,
    ReviewedCropsStore,
    ReviewStore,
    Rollouts,
    Setups,
    Store,
    SweepPoint,
)

__all__ = [
    "Appended",
    "BodyReader",
    "Bookmarks",
    "Budget",
    "Clock",
    "ColumnChunk",
    "ColumnLog",
    "ConcurrencyLimit",
    "CropMeasure",
    "Engine",
    "ImageSource",
    "Inbox",
    "Inspector",
    "NamedLocks",
    "OverrideLog",
    "Packing",
    "Part",
    "PendingDrafts",
    "PredictionOrigin",
    "ReplyCache",
    "ReviewStore",
    "ReviewedCropsStore",
    "Rollouts",
    "Setups",
    "Shared",
    "Store",
    "StoredPrediction",
    "SweepPoint",
    "TaskState",
    "WebhookContent",
    "WebhookNotice",
    "Workspace",
    "WorkspaceOpener",
]
