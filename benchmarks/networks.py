"""Learn the small networks that tell tint, light and lean by what a picture shows (see network.py). Reads no files.

Needs torch, which the product does without: `uv pip install "label-studio-review-copilot[local]"` brings it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from plant_tone import EXPOSURES, TINTS, exposed, tint_of, tinted
from planted import Floats, Rng
from review_copilot.domain.image import Pixels
from review_copilot.inspectors.classical.frame import shrunk
from review_copilot.inspectors.classical.network import SEEN_PX, thumbnail
from review_copilot.inspectors.classical.tilt import LEVEL_SHARE, SEEN_LEANS, SEEN_SIZE_PX, lean_picture

TINT_PX, LEAN_PX = 112, 208
"""Longer side of the photographs that are cropped and turned."""
_TINTS = 6000
"""Different tints; more teach nothing."""
_FOLLOW = 0.005
"""The networks that are kept follow the learning ones by this share a step (B. Polyak, A. Juditsky, 1992)."""
Batch = tuple[Sequence[Pixels], Floats]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network is built of.

    Attributes:
        channels: After each convolution.
        first: Side of the first kernels; the others have 3.
        joined: Width of the joining layer.
        answers: Numbers that come out.
    """

    channels: tuple[int, ...]
    first: int
    joined: int
    answers: int


TINT_SHAPE = Shape((16, 32, 48, 48), 3, 32, 3)
LIGHT_SHAPE = Shape((12, 24, 32, 32), 3, 24, 2)
LEAN_SHAPE = Shape((16, 32, 48, 64), 5, 48, SEEN_LEANS.size)


class _Learning(nn.Module):
    """The network as it is learned: each convolution is followed by batch normalisation, which is folded in later."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        widths = (3, *shape.channels)
        sides = (shape.first, *(3 for _ in shape.channels[1:]))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, side, 1 if after_all else 2, side // 2)
            for before, after, side, after_all in zip(
                widths[:-1], widths[1:], sides, [*(False for _ in sides[1:]), True], strict=True
            )
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in shape.channels)
        self.join = nn.Linear(6 * shape.channels[-1], shape.joined)
        self.last = nn.Linear(shape.joined, shape.answers)
        self.drop = nn.Dropout(0.2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = functional.relu(norm(convolution(x)))
        rows, columns = x.shape[2] // 2, x.shape[3] // 2
        quarters = [x[:, :, r : r + rows, c : c + columns].mean((2, 3)) for r in (0, rows) for c in (0, columns)]
        seen = torch.cat([x.mean((2, 3)), x.amax((2, 3)), *quarters], 1)
        return cast("torch.Tensor", self.last(self.drop(functional.relu(self.join(seen)))))


def learn(
    shape: Shape, batches: Callable[[Rng], Batch], loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], *,
    steps: int, scaled: Callable[[Pixels], Floats],
) -> dict[str, Floats]:  # fmt: skip
    """Learn for so many batches (AdamW, one cycle of the rate) and give the arrays that network.py reads."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # sums in another order would come out differently
    rng = np.random.default_rng(0)
    learning, kept = _Learning(shape), _Learning(shape)
    kept.load_state_dict(learning.state_dict())
    descent = torch.optim.AdamW(learning.parameters(), 1e-3, weight_decay=1e-2)
    rate = torch.optim.lr_scheduler.OneCycleLR(descent, 3e-3, steps + 1)
    for step in range(steps):
        pictures, truth = batches(rng)
        seen = torch.from_numpy(np.stack([scaled(p) for p in pictures]))
        with torch.autocast("cpu", torch.bfloat16):  # twice as fast, and as good
            said = learning(seen)
        wrong = loss(said.float(), torch.from_numpy(truth))
        descent.zero_grad()
        wrong.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        descent.step()
        rate.step()
        with torch.no_grad():
            for value, new in zip(kept.state_dict().values(), learning.state_dict().values(), strict=True):
                if value.dtype.is_floating_point:
                    value.lerp_(new, _FOLLOW)
        if step % 1000 == 0:
            print(f"step {step} of {steps}, loss {wrong.item():.3f}", flush=True)
    return _folded(kept)


def _folded(network: _Learning) -> dict[str, Floats]:
    """The arrays by name, batch normalisation folded into the convolutions."""
    arrays: dict[str, Floats] = {}
    with torch.no_grad():
        for index, (layer, norm) in enumerate(zip(network.convolutions, network.norms, strict=True)):
            convolution, batch = cast("nn.Conv2d", layer), cast("nn.BatchNorm2d", norm)
            spread, mean = cast("torch.Tensor", batch.running_var), cast("torch.Tensor", batch.running_mean)
            gain = batch.weight / torch.sqrt(spread + batch.eps)
            bias = cast("torch.Tensor", convolution.bias)
            arrays[f"kernel_{index}"] = (convolution.weight * gain[:, None, None, None]).numpy()
            arrays[f"offset_{index}"] = ((bias - mean) * gain + batch.bias).numpy()
        for index, layer in enumerate((network.join, network.last)):
            arrays[f"join_{index}"], arrays[f"bias_{index}"] = layer.weight.numpy(), layer.bias.numpy()
    return arrays


def learn_tint(photos: Sequence[Pixels], *, rounds: int) -> dict[str, Floats]:
    """Whether a picture is tinted, and how its neutral tones lie in a* and b*, in tens of Lab units."""
    photos = [shrunk(photo, longer_px=TINT_PX) for photo in photos]
    rng = np.random.default_rng(1)
    bank = [_some_tint(rng) for _ in range(_TINTS)]

    def batch(rng: Rng) -> Batch:
        pairs = [_tinted_part(photos[int(i)], bank, rng) for i in rng.integers(0, len(photos), 128)]
        return [p for p, _ in pairs], np.stack([lab for _, lab in pairs])

    def loss(said: torch.Tensor, lab: torch.Tensor) -> torch.Tensor:
        tinted_at_all = torch.clip((lab.norm(dim=1) - 4) / 5, 0, 1)
        told = functional.binary_cross_entropy_with_logits(said[:, 0], tinted_at_all)
        return told + functional.smooth_l1_loss(said[:, 1:], lab / 10, beta=0.5)

    return learn(TINT_SHAPE, batch, loss, steps=rounds * len(photos) // 128, scaled=thumbnail)


def _some_tint(rng: Rng) -> tuple[Floats, str, Floats]:
    """A colour, a way, and what it makes of middle grey in a* and b*."""
    way = str(rng.choice(TINTS))
    colour = tint_of(float(rng.uniform(4, 38)), way, rng)
    grey = tinted(np.full((1, 1, 3), 128, np.uint8), colour, way).astype(np.float32) / 255
    return colour, way, np.asarray(cv2.cvtColor(grey, cv2.COLOR_RGB2LAB), np.float32)[0, 0, 1:]


def _tinted_part(photo: Pixels, bank: Sequence[tuple[Floats, str, Floats]], rng: Rng) -> tuple[Pixels, Floats]:
    """A part of a photograph, at times of another brightness, tinted six times of ten."""
    part = _part(photo, rng)
    if rng.random() < 0.3:
        levels = 255 * (part / 255.0) ** rng.uniform(0.6, 1.5) * rng.uniform(0.6, 1.1) + rng.uniform(0, 25)
        part = np.clip(levels, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        colour, way, lab = bank[int(rng.integers(len(bank)))]
        return tinted(part, colour, way), lab
    return part, np.zeros(2, np.float32)


def _part(photo: Pixels, rng: Rng) -> Pixels:
    """Most of a photograph as the networks of colour and light see it, mirrored half of the time."""
    height, width = photo.shape[:2]
    h, w = (int(v * rng.uniform(0.7, 1.0)) for v in (height, width))
    y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    part = np.ascontiguousarray(photo[y : y + h, x : x + w])
    part = np.asarray(cv2.resize(part, (SEEN_PX, SEEN_PX), interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def learn_light(photos: Sequence[Pixels], *, rounds: int) -> dict[str, Floats]:
    """Whether a picture has too much light, and how many stops, negative for too little."""
    photos = [shrunk(photo, longer_px=TINT_PX) for photo in photos]

    def batch(rng: Rng) -> Batch:
        pairs = [_exposed_part(photos[int(i)], rng) for i in rng.integers(0, len(photos), 128)]
        return [p for p, _ in pairs], np.array([stops for _, stops in pairs], np.float32)

    def loss(said: torch.Tensor, stops: torch.Tensor) -> torch.Tensor:
        over = torch.clip((stops - 0.5) / 0.5, 0, 1)
        told = functional.binary_cross_entropy_with_logits(said[:, 0], over)
        return told + functional.smooth_l1_loss(said[:, 1], stops, beta=0.5)

    return learn(LIGHT_SHAPE, batch, loss, steps=rounds * len(photos) // 128, scaled=thumbnail)


def _exposed_part(photo: Pixels, rng: Rng) -> tuple[Pixels, float]:
    """A part of a photograph, half of the time with more light, sometimes with less."""
    part = _part(photo, rng)
    kind = rng.random()
    if kind < 0.4:
        return part, 0.0
    stops = float(rng.uniform(0.8, 3.0) if kind < 0.88 else -rng.uniform(1.0, 5.5))
    return exposed(part, stops, str(rng.choice(EXPOSURES))), stops


def learn_lean(photos: Sequence[Pixels], *, rounds: int) -> dict[str, Floats]:
    """How likely each of SEEN_LEANS is, as logarithms."""
    photos = [shrunk(photo, longer_px=LEAN_PX) for photo in photos]
    wide = np.array([p.shape[1] >= p.shape[0] for p in photos])
    shelves = [shelf for shelf in (np.flatnonzero(wide), np.flatnonzero(~wide)) if shelf.size]
    shares = np.array([shelf.size for shelf in shelves]) / len(photos)

    def batch(rng: Rng) -> Batch:
        shelf = shelves[int(rng.choice(len(shelves), p=shares))]
        pairs = [_turned_part(photos[int(i)], rng) for i in rng.choice(shelf, 64)]
        return [p for p, _ in pairs], np.array([degrees for _, degrees in pairs], np.float32)

    def loss(said: torch.Tensor, degrees: torch.Tensor) -> torch.Tensor:
        near = torch.exp(-0.5 * (torch.from_numpy(SEEN_LEANS)[None] - degrees[:, None]) ** 2)
        return -(near / near.sum(1, keepdim=True) * said.log_softmax(1)).sum(1).mean()

    return learn(LEAN_SHAPE, batch, loss, steps=rounds * len(photos) // 64, scaled=lean_picture)


def _turned_part(photo: Pixels, rng: Rng) -> tuple[Pixels, float]:
    """A part of a photograph as the network sees it, turned clockwise by some degrees, by none nearly half of the time.

    Upright parts go through the same resampling and are cropped alike, so that neither tells.
    """
    degrees = 0.0 if rng.random() < LEVEL_SHARE else float(rng.uniform(-14, 14))
    mirrored = bool(rng.random() < 0.5)
    height, width = photo.shape[:2]
    columns, rows = SEEN_SIZE_PX if width >= height else SEEN_SIZE_PX[::-1]
    angle = np.radians(-degrees if mirrored else degrees)
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    keep = min(width / (width * cos + height * abs(sin)), height / (width * abs(sin) + height * cos))
    w, h = width * keep * rng.uniform(0.75, 1), height * keep * rng.uniform(0.75, 1)
    room = np.array([width - w * cos - h * abs(sin), height - w * abs(sin) - h * cos]) / 2
    middle = np.array([width / 2, height / 2]) + rng.uniform(-1, 1, 2) * np.maximum(room, 0)
    across, down = w / columns * (-1 if mirrored else 1), h / rows
    map_back: npt.NDArray[np.float64] = np.array([[cos * across, sin * down, 0], [-sin * across, cos * down, 0]])
    map_back[:, 2] = middle - map_back[:, :2] @ np.array([(columns - 1) / 2, (rows - 1) / 2])
    part = cv2.warpAffine(
        photo, map_back, (columns, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
    )
    if rng.random() < 0.3:
        part = 255 * (part / 255.0) ** rng.uniform(0.6, 1.6)
    return np.asarray(part, np.uint8), degrees
