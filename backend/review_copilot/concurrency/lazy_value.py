"""A value that is created once, however many threads ask for it at the same moment. Knows no value."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class LazyValue(Generic[_T]):
    """Creates a value at the first call and returns the same one ever after.

    `functools.cached_property` has no lock since Python 3.12: two threads can create two values. Use this for whatever
    holds a connection, a thread, a limit or weights.
    """

    def __init__(self, create: Callable[[], _T]) -> None:
        """Create nothing yet.

        Args:
            create: Creates the value; called again after it raised an error.
        """
        self._create = create
        self._lock = threading.Lock()
        self._created: tuple[_T] | None = None

    def __call__(self) -> _T:
        """The value.

        Raises:
            Exception: Whatever `create` raised.
        """
        if self._created is None:
            with self._lock:
                if self._created is None:
                    self._created = (self._create(),)
        return self._created[0]
