"""Read a response's body within bounds on what is sent and on what it unpacks to. Knows no file format."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import httpx

CODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 47}
"""Codings that are unpacked, with zlib's window bits: 31 reads gzip, 47 reads zlib's own form and gzip."""

_PIECE_BYTES = 1 << 20
"""Most bytes that are unpacked at once."""


class BodyTooLarge(Exception):
    """The body is over the limit, as sent or unpacked."""


class BodyUnreadable(Exception):
    """The body is packed in a way that is refused, or broken; the message is a clause about it."""


def read_body(response: httpx.Response, *, max_bytes: int) -> bytes:
    """The whole body, unpacked where it is packed once.

    Args:
        response: Its body must not have been read yet.
        max_bytes: Most bytes, as sent and unpacked alike.

    Raises:
        BodyTooLarge: It is larger.
        BodyUnreadable: It is packed twice, in an unknown way, or broken.
        httpx.TransportError: The connection failed, or the time is over.
    """
    announced = response.headers.get("Content-Length", "")
    if announced.isascii() and announced.isdigit() and (len(announced) > 18 or int(announced) > max_bytes):
        raise BodyTooLarge
    coding = _coding(response.headers.get("Content-Encoding", ""))
    pieces = _within(response.iter_raw(), max_bytes=max_bytes)
    if coding:
        pieces = _within(_unpacked(pieces, window_bits=CODINGS[coding]), max_bytes=max_bytes)
    return b"".join(pieces)


def _coding(header: str) -> str:
    """The one coding of a body; empty for none."""
    named = [name for part in header.lower().split(",") if (name := part.strip()) not in {"", "identity"}]
    if len(named) > 1:
        raise BodyUnreadable(f"is packed {len(named)} times over")
    if named and named[0] not in CODINGS:
        raise BodyUnreadable("is packed in a way that was not asked for")
    return named[0] if named else ""


def _within(pieces: Iterable[bytes], *, max_bytes: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > max_bytes:
            raise BodyTooLarge
        yield piece


def _unpacked(pieces: Iterable[bytes], *, window_bits: int) -> Iterator[bytes]:
    """The unpacked bytes in pieces of at most `_PIECE_BYTES`; several gzip members in a row are one body."""
    unpacker = zlib.decompressobj(window_bits)
    begun = False
    try:
        for piece in pieces:
            packed = piece
            while packed:
                if unpacker.eof:
                    unpacker, begun = zlib.decompressobj(window_bits), False
                yield unpacker.decompress(packed, _PIECE_BYTES)
                begun = True
                packed = unpacker.unconsumed_tail or unpacker.unused_data
        while begun and not unpacker.eof:
            rest = unpacker.decompress(unpacker.unconsumed_tail, _PIECE_BYTES)
            if not rest:
                raise BodyUnreadable("is cut off")
            yield rest
    except zlib.error as error:
        raise BodyUnreadable("is broken") from error
