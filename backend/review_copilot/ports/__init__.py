"""What the flows need of the world, as small Protocols. Knows no one who fulfils them."""

from review_copilot.ports.keeping import (
    Appended,
    Backlog,
    Bookmarks,
    Inbox,
    OverrideLog,
    ReviewStore,
    Rollouts,
    Store,
    SweepPoint,
)
from review_copilot.ports.project import BodyReader, StoredPrediction, TaskState, Told, Wake, Workspace, WorkspaceOpener
from review_copilot.ports.seeing import Clock, ImageSource, Inspector, ReplyCache

__all__ = [
    "Appended",
    "Backlog",
    "BodyReader",
    "Bookmarks",
    "Clock",
    "ImageSource",
    "Inbox",
    "Inspector",
    "OverrideLog",
    "ReplyCache",
    "ReviewStore",
    "Rollouts",
    "Store",
    "StoredPrediction",
    "SweepPoint",
    "TaskState",
    "Told",
    "Wake",
    "Workspace",
    "WorkspaceOpener",
]
