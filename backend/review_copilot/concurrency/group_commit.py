"""Write items from several threads in one transaction. Knows no statement.

A durable commit waits for the disk, and it waits no longer for many rows than for one. So each writer
writes everything that arrived while the previous one waited.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Receipt = TypeVar("_Receipt")


@dataclass
class _Ticket(Generic[_Item, _Receipt]):
    """One item that is waiting to be written."""

    item: _Item
    receipt: _Receipt | None = None
    error: Exception | None = None
    done: bool = False


class GroupCommitWriter(Generic[_Item, _Receipt]):
    """Accepts single items from many threads and writes them in groups; each call returns when its item is written."""

    def __init__(self, write: Callable[[Sequence[_Item]], Sequence[_Receipt]]) -> None:
        """Write with `write`, which receives items in order of arrival and returns a receipt for each."""
        self._write = write
        self._waiting: list[_Ticket[_Item, _Receipt]] = []
        self._door = threading.Lock()
        self._turn = threading.Lock()

    def put(self, item: _Item) -> _Receipt:
        """Write one item; an exception of `write` is raised for every item of the group."""
        ticket: _Ticket[_Item, _Receipt] = _Ticket(item)
        with self._door:
            self._waiting.append(ticket)
        with self._turn:
            if not ticket.done:
                self._write_all()
        if ticket.error is not None:
            raise ticket.error
        return ticket.receipt  # type: ignore[return-value]  # a done ticket has one

    def _write_all(self) -> None:
        with self._door:
            group, self._waiting = self._waiting, []
        try:
            receipts = self._write([ticket.item for ticket in group])
        except Exception as error:  # noqa: BLE001  # handed to every thread that waits for it, and raised there
            for ticket in group:
                ticket.error, ticket.done = error, True
            return
        for ticket, receipt in zip(group, receipts, strict=True):
            ticket.receipt, ticket.done = receipt, True
