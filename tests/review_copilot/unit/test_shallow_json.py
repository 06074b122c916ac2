"""Depth is counted as a JSON reader would count it, wherever the bytes are cut."""

from __future__ import annotations

import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_copilot.labelstudio.shallow_json import MAX_DEPTH, ShallowFile, TooDeep

JSON = st.recursive(
    st.none() | st.integers() | st.text(alphabet='"\\[]{}ab\n'),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='"\\[]{}a', max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def depth_of(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


def read(data: bytes, piece: int) -> None:
    file = ShallowFile(io.BytesIO(data))
    while file.read(piece):
        pass


@given(JSON, st.integers(1, 9), st.integers(0, 3))
def test_only_what_is_too_deep_is_refused(value: object, piece: int, beyond: int) -> None:
    """Brackets and quotes in texts count for nothing, also where an escape is cut in two."""
    around = MAX_DEPTH - depth_of(value) + beyond - 1
    data = b"[" * around + json.dumps(value).encode() + b"]" * around
    if depth_of(json.loads(data)) > MAX_DEPTH:
        with pytest.raises(TooDeep):
            read(data, piece)
    else:
        read(data, piece)


def test_large_files_cost_little() -> None:
    data = json.dumps([{"id": n, "text": 'a "quoted" [text]\\'} for n in range(200_000)]).encode()
    began = time.monotonic()
    read(data, 65536)
    assert time.monotonic() - began < 5
