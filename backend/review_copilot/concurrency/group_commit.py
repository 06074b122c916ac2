"""Write what several threads bring at the same time in one transaction. Knows no statement.

A commit that is durable waits for the disk, and it waits no longer for many rows than for one. So whoever's turn it is
writes everything that came while the one before waited.
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
    """One item on its way."""

    item: _Item
    receipt: _Receipt | None = None
    error: Exception | None = None
    done: bool = False


class GroupCommitWriter(Generic[_Item, _Receipt]):
    """Takes single items from many threads and writes them in groups; each call returns when its item is written."""

    def __init__(self, write: Callable[[Sequence[_Item]], Sequence[_Receipt]]) -> None:
        """Write by `write`, which gets items in the order in which they came and gives a receipt for each."""
        self._write = write
        self._waiting: list[_Ticket[_Item, _Receipt]] = []
        self._door = threading.Lock()
        self._turn = threading.Lock()

    def put(self, item: _Item) -> _Receipt:
        """Write one item; what `write` raises concerns the whole group and is raised for each of it."""
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
