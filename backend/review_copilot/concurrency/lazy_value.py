"""A value that is created once, even if several threads request it at the same time. Knows no value."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class LazyValue(Generic[_T]):
    """Creates a value at the first call, and returns the same one at every later call.

    Since Python 3.12, `functools.cached_property` has no lock: two threads can create two values. Use this for anything
    that holds a connection, a thread, a limit, or weights.
    """

    def __init__(self, create: Callable[[], _T]) -> None:
        """Store the function; the first call runs it.

        Args:
            create: Creates the value; called again if it raised an error.
        """
        self._create = create
        self._lock = threading.Lock()
        self._created: tuple[_T] | None = None

    def __call__(self) -> _T:
        """The value.

        Raises:
            Exception: The exception that `create` raised.
        """
        if self._created is None:
            with self._lock:
                if self._created is None:
                    self._created = (self._create(),)
        return self._created[0]
