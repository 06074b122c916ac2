"""Convolutions, run by OpenCV. Knows no picture and no flaw.

OpenCV's own network runner takes a third of the time of copying every pixel's neighbors side by side and multiplying
matrices. It reads networks from a few file formats only. So layers that simply follow each other are put into the least
of an ONNX file that it understands (onnx.proto of the Open Neural Network Exchange, operators as of version 11).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from threadpoolctl import ThreadpoolController

from photo_inspector.pixels.frame import Floats

_FLOAT, _INTS = 1, 7
"""Types of a tensor's numbers and of an attribute in onnx.proto."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One convolution; what is less than nothing in its answers is taken for nothing.

    Attributes:
        kernel: Shape (out, in, side, side).
        offset: Shape (out,).
        step: Every so many pixels, to the right and down, have an answer.
        rim: So many zeros are put around what it sees.
        kept: Whether its answers are asked for.
    """

    kernel: Floats
    offset: Floats
    step: int
    rim: int
    kept: bool


class Convolutions:
    """A network that answers for pictures of any size. Safe to call from several threads."""

    def __init__(self, file: bytes, *, kept: Sequence[str] = ()) -> None:
        """Hold the network; it is read when it is first asked.

        Args:
            file: The network as an ONNX file.
            kept: Names of the layers whose answers are asked for; the last one's when none is named.
        """
        self._file = np.frombuffer(file, np.uint8)
        self._kept = list(kept)
        # a network holds what it is working on: each is lent to one thread at a time
        self._idle: deque[cv2.dnn.Net] = deque()

    def answers(self, pictures: Floats) -> list[Floats]:
        """What the layers say whose answers are asked for; each of shape (pictures, out, rows, columns).

        Args:
            pictures: Shape (pictures, in, rows, columns).
        """
        try:
            network = self._idle.pop()
        except IndexError:
            network = cv2.dnn.readNetFromONNX(self._file)
            network.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
        network.setInput(pictures)
        said = network.forward(self._kept) if self._kept else [network.forward()]
        self._idle.append(network)
        return [np.asarray(one, np.float32) for one in said]


def following(layers: Sequence[Layer]) -> Convolutions:
    """Layers that each see the answers of the one before; asked for those that are kept, first one first."""
    kept = [_answer(place) for place, layer in enumerate(layers) if layer.kept]
    return Convolutions(_onnx(layers), kept=kept)


@cache
def keep_to_one_thread() -> None:
    """From now on NumPy multiplies matrices in the thread that asks for it.

    Those that join a small network's answers take a fraction of a millisecond. OpenBLAS's other threads win nothing
    there, and each then waits for more by running idle: it doubled the processor time of an inspection, on cores that
    inspect other images.
    """
    ThreadpoolController().select(internal_api="openblas").limit(limits=1)


def _answer(place: int) -> str:
    """Name of what the layer at that place says."""
    return f"answer_{place}"


def _onnx(layers: Sequence[Layer]) -> bytes:
    """The layers as an ONNX file."""
    graph = _field(2, b"convolutions")
    for place, layer in enumerate(layers):
        sees = _answer(place - 1) if place else "picture"
        sums, kernel, offset = (f"{what}_{place}" for what in ("sums", "kernel", "offset"))
        rows = {"kernel_shape": layer.kernel.shape[2:], "strides": (layer.step,) * 2, "pads": (layer.rim,) * 4}
        graph += _node("Conv", (sees, kernel, offset), sums, rows) + _node("Relu", (sums,), _answer(place), {})
        graph += _tensor(kernel, layer.kernel) + _tensor(offset, layer.offset)
        if layer.kept:
            graph += _field(12, _of_any_size(_answer(place), len(layer.offset)))
    graph += _field(11, _of_any_size("picture", layers[0].kernel.shape[1]))
    return _field(1, 7) + _field(8, _field(2, 11)) + _field(7, graph)


def _node(kind: str, sees: Sequence[str], says: str, rows: Mapping[str, Sequence[int]]) -> bytes:
    """One operator of a graph, with attributes that are rows of whole numbers."""
    told = b"".join(_field(1, name.encode()) for name in sees) + _field(2, says.encode())
    told += _field(3, says.encode()) + _field(4, kind.encode())
    for name, numbers in rows.items():
        row = b"".join(_field(8, int(number)) for number in numbers)
        told += _field(5, _field(1, name.encode()) + row + _field(20, _INTS))
    return _field(1, told)


def _tensor(name: str, values: Floats) -> bytes:
    """Numbers of a graph that stay."""
    sizes = b"".join(_field(1, size) for size in values.shape)
    held = np.ascontiguousarray(values, "<f4").tobytes()
    return _field(5, sizes + _field(2, _FLOAT) + _field(8, name.encode()) + _field(9, held))


def _of_any_size(name: str, channels: int) -> bytes:
    """One picture of some channels that goes in or comes out."""
    sizes = [_field(1, 1), _field(1, channels), _field(2, b"rows"), _field(2, b"columns")]
    shape = b"".join(_field(1, size) for size in sizes)
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, _FLOAT) + _field(2, shape)))


def _field(number: int, value: int | bytes) -> bytes:
    """One field of a message, as Protocol Buffers write it."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """A whole number in groups of seven bits, the least first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
