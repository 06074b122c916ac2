"""Replace people's names in the log. Knows no override.

If there is a key, a name becomes a pseudonym before it is written. Without the key, no one can find out the name, and
the same person always has the same pseudonym. Forgetting a person replaces the name or pseudonym in all rows with a
label that refers to no one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import replace

import sqlalchemy as sa

from review_copilot.domain.override import SubmittedAnnotation
from review_copilot.store import column_chunks, schema

FORGOTTEN = "forgotten-"
"""Prefix of the label of a forgotten person."""

_REVISION = schema.revisions.c


def pseudonym(name: str, key: str) -> str:
    """The pseudonym of a name: "p-" and 16 hex digits of HMAC-SHA-256; the name itself without a key."""
    if not key or not name:
        return name
    return "p-" + hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest()[:16]


def names_of(name: str, key: str) -> frozenset[str]:
    """The names that the log may use for a person, given by name or by pseudonym; empty for an empty name."""
    return frozenset({name, pseudonym(name, key)} - {""})


def under_pseudonyms(annotation: SubmittedAnnotation, key: str) -> SubmittedAnnotation:
    """The annotation with author and editor replaced by their pseudonyms."""
    return replace(annotation, author=pseudonym(annotation.author, key), editor=pseudonym(annotation.editor, key))


def still_forgotten(annotation: SubmittedAnnotation, label: str | None) -> SubmittedAnnotation:
    """The annotation without its author's name, if the author was forgotten after an earlier revision.

    Label Studio still names the author. Without this, a later edit would bring the name back.

    Args:
        annotation: The annotation, as read from Label Studio.
        label: The author's label in an earlier revision; None if the author was not forgotten.
    """
    if label is None:
        return annotation
    editor = label if annotation.editor == annotation.author else annotation.editor
    return replace(annotation, author=label, editor=editor)


def forget(connection: sa.Connection, names: frozenset[str]) -> int:
    """Replace a person's names with one new label; returns the number of revisions that named them.

    Args:
        connection: An open transaction.
        names: The name, and its pseudonym.
    """
    label = FORGOTTEN + secrets.token_hex(4)
    found = connection.execute(
        sa.select(_REVISION.id, _REVISION.author, _REVISION.editor, _REVISION.payload).where(
            sa.or_(_REVISION.author.in_(names), _REVISION.editor.in_(names))
        )
    ).all()
    for revision_id, author, editor, payload in found:
        people = {"author": label if author in names else author, "editor": label if editor in names else editor}
        connection.execute(
            sa.update(schema.revisions).where(_REVISION.id == revision_id).values(**people, payload=payload | people)
        )
    if found:
        named = sa.select(_REVISION.annotation_ref).where(sa.or_(_REVISION.author == label, _REVISION.editor == label))
        column_chunks.touch(connection, named)
        of_named = sa.select(schema.annotations.c.project_ref).where(schema.annotations.c.id.in_(named))
        column_chunks.empty(connection, schema.projects.c.id.in_(of_named))
    return len(found)
