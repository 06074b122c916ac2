"""What the flows need of the world, as small Protocols. Knows no one who fulfils them."""

from review_copilot.ports.columns import ColumnLog, Packing, Parcel, Part
from review_copilot.ports.keeping import (
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
from review_copilot.ports.project import BodyReader, StoredPrediction, TaskState, Told, Wake, Workspace, WorkspaceOpener
from review_copilot.ports.seeing import Clock, CropMeasure, Engine, ImageSource, Inspector, ReplyCache
from review_copilot.ports.sharing import Purse, Seats, Shared, Turns

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
