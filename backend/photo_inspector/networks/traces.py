"""Where lettering, fine lines and dust were laid over a picture, as a small network sees it. Knows no guideline.

Lettering on grass, a hair before branches: people see at once what measured numbers hardly tell from the scene. The
network is a few convolutions that halve the picture five times and carry what the coarse levels see back to the finer
ones (after T.-Y. Lin and others, "Feature pyramid networks for object detection", CVPR 2017), learned by
`training/learn_traces.py`. It says where to look; what is there is measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.pixels.convolution import Convolutions, Layer, following, keep_to_one_thread
from photo_inspector.pixels.frame import Floats, Frame, Gray
from photo_inspector.pixels.votes import Elected, Votes, elected
from review_copilot.plugin import Pixels

FILE = "traces.npz"
LETTERS_PX, LINES_PX = 8, 4
"""Side of the square of pixels for which the network says one thing, of lettering and of fine lines and dust."""
NO_LETTERS, NO_LINES = 0.02, 0.03
"""Where the network says less than this, none are looked for."""
SOMEWHERE = 0.1
"""Nor where it says less than this all over a place."""
LEAST_VOTE, MOST_VOTES = 0.3, 600
"""Probability from which a square has a say in boxes, and how many squares have one, the likeliest first."""
STEPS = (2, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1)
"""By how much each convolution shrinks the picture."""
BRANCHES = (2, 4, 6, 8)
"""Convolutions whose answers are joined with what the coarser ones see."""
PLACES = 6
"""Numbers that say where a square of lettering lies in the three coarser ones that it is part of."""
EDGE_PX = 32.0
"""Pixels for each unit of an edge's distance."""
TOLD = ("let", "lin", "spt", "letbox", "linbox")
"""Outputs per square: lettering, a line, a spot, and the edges of the lettering and of the line."""


def _nobody() -> Votes:
    return Votes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), *(np.zeros(0, np.int64),) * 2, (1, 1))


@dataclass(frozen=True, eq=False)
class Traces:
    """What the network says of the middle level of a picture.

    Attributes:
        letters: How likely each LETTERS_PX square is covered by lettering or a logo, 0..1.
        lines: How likely a scratch or a hair runs through each LINES_PX square, 0..1.
        spots: How likely dust lies on each LINES_PX square, 0..1.
        size: Height and width of the middle level in pixels.
        letter_votes: What LETTERS_PX squares that are likely covered by lettering take for its box.
        line_votes: What LETTERS_PX squares through which a line likely runs take for its box.
    """

    letters: Floats
    lines: Floats
    spots: Floats
    size: tuple[int, int]
    letter_votes: Votes = field(default_factory=_nobody)
    line_votes: Votes = field(default_factory=_nobody)

    @cached_property
    def letter_boxes(self) -> tuple[Elected, ...]:
        """Boxes of lettering that squares agree on."""
        return elected(self.letter_votes)

    @cached_property
    def line_boxes(self) -> tuple[Elected, ...]:
        """Boxes of fine lines that squares agree on."""
        return elected(self.line_votes)

    @cached_property
    def lines_everywhere(self) -> Floats:
        """How likely a scratch or a hair is, at each pixel of the middle level."""
        return self.spread(self.lines, shape=self.size)

    def spread(self, what: Floats, *, shape: tuple[int, int]) -> Floats:
        """One of both at each pixel of a level of that shape, as straight lines between the squares' middles."""
        cell = LETTERS_PX if what is self.letters else LINES_PX
        rows, columns = self.size
        whole = cv2.resize(what, (what.shape[1] * cell, what.shape[0] * cell), interpolation=cv2.INTER_LINEAR)
        part = np.asarray(whole, np.float32)[:rows, :columns]
        return part if shape == self.size else np.asarray(cv2.resize(part, shape[::-1], interpolation=cv2.INTER_LINEAR))

    def near(self, what: Floats, *, shape: tuple[int, int]) -> Gray:
        """Where one of both is not ruled out, or close by; 1 and 0 at each pixel of a level of that shape.

        A place is ruled out when all that hangs together with it stays under SOMEWHERE (after J. Canny's two
        thresholds, 1986).
        """
        whole = self._open_to_letters if what is self.letters else self._open_to_lines
        return np.asarray(cv2.resize(whole, shape[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)

    @cached_property
    def _open_to_letters(self) -> Gray:
        return self._open(self.letters, cell=LETTERS_PX, least=NO_LETTERS)

    @cached_property
    def _open_to_lines(self) -> Gray:
        return self._open(self.lines, cell=LINES_PX, least=NO_LINES)

    def _open(self, what: Floats, *, cell: int, least: float) -> Gray:
        """Where one of both is not ruled out, or close by; 1 and 0 at each pixel of the middle level."""
        count, parts = cv2.connectedComponents((what >= least).astype(np.uint8), connectivity=8)
        most = np.zeros(count, np.float32)
        np.maximum.at(most, np.asarray(parts, np.int32).ravel(), what.ravel())
        most[0] = 0
        open_ = cv2.dilate((most >= SOMEWHERE)[parts].astype(np.uint8), np.ones((5, 5), np.uint8))
        rows, columns = self.size
        wide = cv2.resize(open_, (what.shape[1] * cell, what.shape[0] * cell), interpolation=cv2.INTER_NEAREST)
        return np.asarray(wide, np.uint8)[:rows, :columns]

    def within(self, what: Floats, boxes: npt.NDArray[np.float64]) -> tuple[Floats, Floats]:
        """How likely one of these is inside boxes, and close around them; means of the squares.

        Args:
            what: `letters`, `lines` or `spots`.
            boxes: Left, upper, right and lower edges as fractions of the picture, shape (boxes, 4).
        """
        rows, columns = what.shape
        sums = np.zeros((rows + 1, columns + 1))
        np.cumsum(np.cumsum(what, axis=0), axis=1, out=sums[1:, 1:])
        cell = LETTERS_PX if what is self.letters else LINES_PX
        scale = np.array([self.size[1], self.size[0], self.size[1], self.size[0]]) / cell
        cells = boxes * scale

        def totals(edges: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
            most = np.array([columns, rows])
            start = np.clip(np.rint(edges[:, :2]), 0, most - 1).astype(np.int64)
            end = np.clip(np.maximum(np.rint(edges[:, 2:]), start + 1), 1, most).astype(np.int64)
            (x, y), (right, bottom) = start.T, end.T
            total = sums[bottom, right] - sums[y, right] - sums[bottom, x] + sums[y, x]
            return total, ((right - x) * (bottom - y)).astype(np.float64)

        inside, area = totals(cells)
        reach = np.maximum(1.0, 0.25 * (cells[:, 3:] - cells[:, 1:2])) * np.array([[-1, -1, 1, 1]])
        wide, all_of = totals(cells + reach)
        around = (wide - inside) / np.maximum(all_of - area, 1)
        return (inside / area).astype(np.float32), np.maximum(around, 0).astype(np.float32)


def traces(frame: Frame) -> Traces:
    """What the network sees in a picture of any size."""
    return traces_of(frame.middle_rgb)


def traces_of(rgb: Pixels) -> Traces:
    """What the network sees in a level of at least 1 x 1 px."""
    layers = _layers()
    fine, middle, coarse, broad, broadest = (said[0] for said in _branches().answers(_even(rgb)[None]))
    _add_twice(broad, broadest)
    _add_twice(coarse, _joined(broad, *layers["p5"]))
    _add_twice(middle, _joined(coarse, *layers["p4"]))
    _add_twice(fine, _joined(middle, *layers["p3"]))
    head = _joined(middle, *layers["l1"])
    letters, lines = _told(head, *layers["let"]), _told(_joined(fine, *layers["l2"]), *layers["lin"])
    spots = _told(_joined(fine, *layers["l3"]), *layers["spt"])
    size = (rgb.shape[0], rgb.shape[1])
    lined = _most_of_four(lines, shape=letters.shape)
    return Traces(
        letters,
        lines,
        spots,
        size,
        letter_votes=_votes(head, letters, layers["letbox"], size=size),
        line_votes=_votes(head, lined, layers["linbox"], size=size),
    )


def _most_of_four(values: Floats, *, shape: tuple[int, ...]) -> Floats:
    """The largest value among the quarters of each square, shape (rows, columns) as given."""
    out = np.zeros(shape, np.float32)
    for y in (0, 1):
        for x in (0, 1):
            quarter = values[y::2, x::2]
            part = out[: quarter.shape[0], : quarter.shape[1]]
            np.maximum(part, quarter, out=part)
    return out


def _votes(head: Floats, likely: Floats, layer: tuple[Floats, Floats], *, size: tuple[int, int]) -> Votes:
    """What squares that are likely part of something take for its box."""
    flat = np.flatnonzero(likely >= LEAST_VOTE)
    flat = flat[np.argsort(-likely.ravel()[flat], kind="stable")[:MOST_VOTES]]
    row, column = np.divmod(flat, likely.shape[1])
    seen = np.concatenate([head[:, row, column], places(*likely.shape)[:, row, column]])
    kernel, offset = layer
    left, top, right, bottom = EDGE_PX * np.logaddexp(0, kernel @ seen + offset[:, None])
    x, y = (column + 0.5) * LETTERS_PX, (row + 0.5) * LETTERS_PX
    height, width = size
    edges = np.stack([x - left, y - top, x + right, y + bottom], axis=1) / (width, height, width, height)
    return Votes(
        np.clip(edges, 0, 1).astype(np.float32), likely[row, column], row, column, (likely.shape[0], likely.shape[1])
    )


def places(rows: int, columns: int) -> Floats:
    """Where each square lies in the coarser ones that it is part of, in EDGE_PX, shape (PLACES, rows, columns).

    What the coarser squares say is the same for all of their parts; how far it is to an edge is not (after R. Liu and
    others, "An intriguing failing of convolutional neural networks and the CoordConv solution", NeurIPS 2018).
    """
    out = np.empty((PLACES, rows, columns), np.float32)
    for index, parts in enumerate((2, 4, 8)):
        across, down = ((np.arange(n) % parts - (parts - 1) / 2) * (LETTERS_PX / EDGE_PX) for n in (columns, rows))
        out[2 * index], out[2 * index + 1] = across[None, :], down[:, None]
    return out


def _even(rgb: Pixels) -> Floats:
    """The channels of a picture, shape (3, rows, columns); an odd row or column is doubled."""
    rows, columns = rgb.shape[0] % 2, rgb.shape[1] % 2
    if rows or columns:
        rgb = np.asarray(cv2.copyMakeBorder(rgb, 0, rows, 0, columns, cv2.BORDER_REPLICATE), np.uint8)
    return np.stack(cv2.split(rgb)).astype(np.float32)


def _rectified(values: Floats, offset: Floats) -> Floats:
    values += offset[:, None, None]
    return np.maximum(values, 0, out=values)


def _joined(values: Floats, kernel: Floats, offset: Floats) -> Floats:
    """All channels of each square joined, what is less than nothing taken for nothing."""
    return _rectified((kernel @ values.reshape(len(values), -1)).reshape(-1, *values.shape[1:]), offset)


def _told(values: Floats, kernel: Floats, offset: Floats) -> Floats:
    """All channels of each square joined into a probability, 0..1."""
    odds = (kernel @ values.reshape(len(values), -1)).reshape(values.shape[1:]) + offset
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))), np.float32)


def _add_twice(values: Floats, coarser: Floats) -> None:
    """Add to each square the value of the coarser square that contains it."""
    for y in (0, 1):
        for x in (0, 1):
            quarter = values[:, y::2, x::2]
            quarter += coarser[:, : quarter.shape[1], : quarter.shape[2]]


@cache
def _branches() -> Convolutions:
    """The layers whose answers are joined, read once."""
    layers = _layers()
    last = len(STEPS) - 1
    return following([
        # the first sees every 2 x 2 pixels by themselves
        Layer(*layers[f"c{place}"], step=step, rim=min(place, 1), kept=place in BRANCHES or place == last)
        for place, step in enumerate(STEPS)
    ])  # fmt: skip


@cache
def _layers() -> dict[str, tuple[Floats, Floats]]:
    """Kernel and offset of each layer, read once."""
    keep_to_one_thread()
    with resources.files("photo_inspector.networks").joinpath(FILE).open("rb") as file:
        arrays = np.load(file)
        names = sorted({name.split("_")[0] for name in arrays.files})
        return {n: (arrays[f"{n}_k"].astype(np.float32), arrays[f"{n}_b"].astype(np.float32)) for n in names}
