"""The folder of database and model replies: create it, and find files in the place of earlier releases."""

from __future__ import annotations

import logging
from pathlib import Path

from review_copilot.errors import SettingsError
from review_copilot.settings import DATABASE, REPLIES, Settings, database_in

OLD_REPLIES = "review-copilot-replies"
"""Name of the folder of model replies that earlier releases created in the current folder."""

log = logging.getLogger(__name__)


def prepare_home(settings: Settings, *, current: Path | None = None) -> None:
    """Create the home folder if the default database is in it, for its owner only.

    Earlier releases created database and replies in the current folder. A database there is never ignored silently.

    Args:
        settings: Names the home folder and the database.
        current: The current folder; None for that of the process.

    Raises:
        SettingsError: The current folder has the database of an earlier release and the home folder has none, or the
            home folder cannot be created.
    """
    if not settings.database_is_at_home:
        return
    home, current = settings.home.absolute(), (current or Path.cwd()).absolute()
    if current != home:
        _look_for_old_files(current, home=home)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The folder {home} cannot be created: {error.strerror}.",
            hint="Set REVIEW_COPILOT_HOME to a folder that you can write to.",
        ) from error


def _look_for_old_files(current: Path, *, home: Path) -> None:
    old, new = current / DATABASE, home / DATABASE
    if old.is_file() and new.exists():
        log.warning("The database %s is not used: the database is %s. REVIEW_COPILOT_DATABASE_URL chooses.", old, new)
    elif old.is_file():
        raise SettingsError(
            f"The database of an earlier release is in the current folder: {old}. The default place is now {new}.",
            hint=f"Stop the backend, then move it: mkdir -p '{home}' && mv '{old}'* '{home}/'. Or keep it there: "
            f"set REVIEW_COPILOT_DATABASE_URL={database_in(current)}",
        )
    replies = current / OLD_REPLIES
    if replies.is_dir() and not (home / REPLIES).exists():
        new_replies = home / REPLIES
        log.warning("The model replies in %s are not used. To use them: mv '%s' '%s'", replies, replies, new_replies)
