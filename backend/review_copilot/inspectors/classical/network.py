"""Small networks that have looked at ordinary photographs. Knows no flaw and no guideline.

A tint, too much light or a lean is partly told by what a picture shows: skin and sky have colours, clouds are lighter
than stone, walls and people stand upright. Each network is a few convolutions over a thumbnail, learned by
`benchmarks/learn.py` and run here in plain NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import cv2
import numpy as np
from threadpoolctl import ThreadpoolController

from review_copilot.domain.image import Pixels
from review_copilot.inspectors.classical.frame import Floats

FILE = "networks.npz"
SEEN_PX = 64
"""Side of the square thumbnail in which tint and light are seen."""
Kind = Literal["tint", "light", "lean"]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Convolutions, pooling, and layers that join everything.

    Attributes:
        kernels: Per convolution, shape (out, in, rows, columns); all but the last halve the picture.
        offsets: Per convolution, shape (out,).
        joins: Per joining layer, shape (out, in).
        biases: Per joining layer, shape (out,).
    """

    kernels: tuple[Floats, ...]
    offsets: tuple[Floats, ...]
    joins: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def answers(self, picture: Floats) -> Floats:
        """What the last layer says, shape (out,).

        Args:
            picture: Shape (channels, rows, columns), scaled as in learning.
        """
        last = len(self.kernels) - 1
        for index, (kernel, offset) in enumerate(zip(self.kernels, self.offsets, strict=True)):
            picture = np.maximum(convolved(picture, kernel, step=1 if index == last else 2) + offset[:, None, None], 0)
        seen = pooled(picture)
        for join, bias in zip(self.joins[:-1], self.biases[:-1], strict=True):
            seen = np.maximum(join @ seen + bias, 0)
        return np.asarray(self.joins[-1] @ seen + self.biases[-1], np.float32)


def convolved(picture: Floats, kernel: Floats, *, step: int) -> Floats:
    """Every `step`-th answer of the kernel, the picture continued by zeros, shape (out, rows, columns)."""
    reach = kernel.shape[-1] // 2
    padded = np.pad(picture, ((0, 0), (reach, reach), (reach, reach)))
    side = kernel.shape[-1]
    rows, columns = (-(-(length - side + 1) // step) for length in padded.shape[1:])
    # one row of `flat` for each number of the kernel
    flat = np.concatenate([
        padded[:, y : y + step * rows : step, x : x + step * columns : step][:, None]
        for y in range(side) for x in range(side)
    ], axis=1).reshape(-1, rows * columns)  # fmt: skip
    return np.asarray((kernel.reshape(len(kernel), -1) @ flat).reshape(-1, rows, columns), np.float32)


def pooled(picture: Floats) -> Floats:
    """Mean and most of each channel, then its mean in the four quarters, shape (6 x channels,)."""
    rows, columns = picture.shape[1] // 2, picture.shape[2] // 2
    quarters = [picture[:, y : y + rows, x : x + columns].mean(axis=(1, 2)) for y in (0, rows) for x in (0, columns)]
    return np.concatenate([picture.mean(axis=(1, 2)), picture.max(axis=(1, 2)), *quarters])


def thumbnail(rgb: Pixels) -> Floats:
    """What the networks of tint and light see of a picture of any size, shape (3, SEEN_PX, SEEN_PX)."""
    square = cv2.resize(rgb, (SEEN_PX, SEEN_PX), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.log((np.asarray(square, np.float32) + 4) / 128).transpose(2, 0, 1))


@cache
def network(kind: Kind) -> Network:
    """The network of one kind, read once."""
    _keep_to_one_thread()
    with resources.files("review_copilot.inspectors.classical").joinpath(FILE).open("rb") as file:
        arrays = np.load(file)

        def layers(part: str) -> tuple[Floats, ...]:
            names: Sequence[str] = sorted(name for name in arrays.files if name.startswith(f"{kind}_{part}_"))
            return tuple(np.asarray(arrays[name], np.float32) for name in names)

        return Network(layers("kernel"), layers("offset"), layers("join"), layers("bias"))


@cache
def _keep_to_one_thread() -> None:
    """From now on NumPy multiplies matrices in the thread that asks for it.

    Those of a small network take a fraction of a millisecond. OpenBLAS's other threads win nothing there, and each then
    waits for more by running idle: it doubled the processor time of an inspection, on cores that inspect other images.
    """
    ThreadpoolController().select(internal_api="openblas").limit(limits=1)
