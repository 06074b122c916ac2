"""What the flows need of the world, as small Protocols. Knows no one who fulfils them."""

from review_copilot.ports.chunks import ColumnLog, Packing, Parcel, Part
from review_copilot.ports.inspecting import Clock, CropMeasure, Engine, ImageSource, Inspector, ReplyCache
from review_copilot.ports.labeling import (
    BodyReader,
    StoredPrediction,
    TaskState,
    Told,
    Wake,
    Workspace,
    WorkspaceOpener,
)
from review_copilot.ports.limits import Purse, Seats, Shared, Turns
from review_copilot.ports.storage import (
    Appended,
    Backlog,
    Bookmarks,
    Inbox,
    Lookbooks,
    OverrideLog,
    ReviewStore,
    Rollouts,
    Store,
    SweepPoint,
)

__all__ = [
    "Appended",
    "Backlog",
    "BodyReader",
    "Bookmarks",
    "Clock",
    "ColumnLog",
    "CropMeasure",
    "Engine",
    "ImageSource",
    "Inbox",
    "Inspector",
    "Lookbooks",
    "OverrideLog",
    "Packing",
    "Parcel",
    "Part",
    "Purse",
    "ReplyCache",
    "ReviewStore",
    "Rollouts",
    "Seats",
    "Shared",
    "Store",
    "StoredPrediction",
    "SweepPoint",
    "TaskState",
    "Told",
    "Turns",
    "Wake",
    "Workspace",
    "WorkspaceOpener",
]
