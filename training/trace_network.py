"""The network of `traces.py` as it is learned, and how it is written down. Reads no files and plants nothing.

Needs torch, which the product does without: `uv pip install "label-studio-review-copilot[local]"` brings it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from kept_network import follow
from photo_inspector.networks.traces import BRANCHES, EDGE_PX, PLACES, STEPS, TOLD, places

Rng: TypeAlias = np.random.Generator
Batch: TypeAlias = tuple[torch.Tensor, ...]
"""Pictures 0..255, shape (pictures, 3, rows, columns); share of each square that lettering covers; pixels of each
square that a line covers, and that spots do; distances in pixels of each square's middle to the edges of the box of
what is there, of lettering and of lines, shape (pictures, 4, rows, columns)."""
WIDTHS = (12, 16, 16, 32, 32, 64, 64, 96, 96, 96, 96)
"""Channels after each convolution."""
HEAD, SPOT_HEAD = 48, 32
"""Channels from which lettering and boxes are told, and from which dust is."""
SCALE, MIDDLE = 64.0, 1.75
"""What levels are divided by, and what is taken away then; folded into the first convolution."""
LINE_PIXELS, SPOT_PIXELS = 2, 6
"""Pixels of a square from which a line runs through it, or a spot lies on it."""
LINE_WEIGHT, LINE_SHARE, BOX_SHARE = 3.0, 3.0, 0.1
"""How much more a square with a line counts than one without, lines than lettering, and boxes."""
_RATE = 4e-3
_FOLLOW = 0.005
"""Share by which the network that is kept follows the learning one at each step."""


def _joined(before: int, after: int, side: int = 1, step: int = 1) -> nn.Sequential:
    reach = side // 2 if side > 2 else 0
    return nn.Sequential(nn.Conv2d(before, after, side, step, reach, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def _twice(values: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(values, scale_factor=2, mode="nearest")


class _Learning(nn.Module):
    """The network; each convolution is followed by batch normalisation, which is folded in later."""

    def __init__(self) -> None:
        super().__init__()
        sides = (2, *(3 for _ in WIDTHS[1:]))
        self.c = nn.ModuleList(
            _joined(before, after, side, step)
            for before, after, side, step in zip((3, *WIDTHS[:-1]), WIDTHS, sides, STEPS, strict=True)
        )
        fine, middle, coarse, broad = (WIDTHS[index] for index in BRANCHES)
        self.p5, self.p4, self.p3 = _joined(broad, coarse), _joined(coarse, middle), _joined(middle, fine)
        self.l1, self.l2, self.l3 = _joined(middle, HEAD), _joined(fine, fine), _joined(fine, SPOT_HEAD)
        self.let, self.lin, self.spt = nn.Conv2d(HEAD, 1, 1), nn.Conv2d(fine, 1, 1), nn.Conv2d(SPOT_HEAD, 1, 1)
        self.letbox, self.linbox = (nn.Conv2d(HEAD + PLACES, 4, 1) for _ in range(2))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        kept = []
        for index, layer in enumerate(self.c):
            x = layer(x)
            if index in BRANCHES:
                kept.append(x)
        fine, middle, coarse, broad = kept
        coarse = coarse + _twice(self.p5(broad + _twice(x)))
        middle = middle + _twice(self.p4(coarse))
        fine = fine + _twice(self.p3(middle))
        head = self.l1(middle)
        where = torch.from_numpy(places(*middle.shape[2:]))[None].expand(len(x), -1, -1, -1)
        placed = torch.cat([head, where], dim=1)
        marks = self.let(head)[:, 0], self.lin(self.l2(fine))[:, 0], self.spt(self.l3(fine))[:, 0]
        return *marks, self.letbox(placed), self.linbox(placed)


def learn(
    batches: Callable[[Rng], Batch], *, steps: int, begun: Mapping[str, npt.NDArray[np.float16]] | None = None
) -> dict[str, npt.NDArray[np.float16]]:
    """Learn for so many batches (AdamW, the rate rises and falls once) and give the arrays that `traces.py` reads.

    Args:
        batches: Draws the next batch.
        steps: How many.
        begun: Arrays that an earlier run gave, to go on from.
    """
    torch.manual_seed(0)
    torch.set_num_threads(1)  # sums in another order would come out differently
    rng = np.random.default_rng(0)
    learning, kept = _Learning(), _Learning()
    if begun is not None:
        _take_up(learning, begun, batches(rng)[0])
    kept.load_state_dict(learning.state_dict())
    descent = torch.optim.AdamW(learning.parameters(), 1e-3, weight_decay=1e-2)
    most = _RATE if begun is None else _RATE / 2
    rate = torch.optim.lr_scheduler.OneCycleLR(descent, most, steps + 1, pct_start=0.08)
    for step in range(steps):
        pictures, letters, lines, spots, *boxes = batches(rng)
        with torch.autocast("cpu", torch.bfloat16):
            said = [one.float() for one in learning(pictures / SCALE - MIDDLE)]
        wrong = _wrong_letters(said[0], letters) + LINE_SHARE * _wrong_lines(said[1], lines, least=LINE_PIXELS)
        wrong = wrong + LINE_SHARE * _wrong_lines(said[2], spots, least=SPOT_PIXELS)
        wrong = wrong + BOX_SHARE * (_wrong_boxes(said[3], boxes[0]) + _wrong_boxes(said[4], boxes[1]))
        descent.zero_grad()
        wrong.backward()
        descent.step()
        rate.step()
        follow(kept, learning, share=max(_FOLLOW, 10 / (step + 10)))
        if step % 500 == 0:
            print(f"step {step} of {steps}, loss {wrong.item():.3f}", flush=True)
    return _written(kept)


def _wrong_letters(odds: torch.Tensor, covered: torch.Tensor) -> torch.Tensor:
    """Squares that are covered in part count less."""
    truth = (covered > 0.5).float()
    weight = torch.where((covered > 0.2) & (covered < 0.8), 0.3, 1.0)
    return (functional.binary_cross_entropy_with_logits(odds, truth, reduction="none") * weight).mean()


def _wrong_lines(odds: torch.Tensor, pixels: torch.Tensor, *, least: int) -> torch.Tensor:
    """Squares beside a line or a spot, or with fewer than `least` pixels of it, count less."""
    truth = (pixels >= least).float()
    beside = (functional.max_pool2d(truth[:, None], 3, 1, 1)[:, 0] > 0) & (truth == 0)
    weight = torch.where(truth > 0, LINE_WEIGHT, 1.0) * torch.where(beside | (pixels > 0) & (pixels < least), 0.3, 1.0)
    return (functional.binary_cross_entropy_with_logits(odds, truth, reduction="none") * weight).mean()


def _wrong_boxes(said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """How far the edges are off, by the size of the box; squares without one do not count.

    Args:
        said: What the network says of each square's distances, shape (pictures, 4, rows, columns).
        true: Distances to the edges in pixels, nothing on any side where there is no box.
    """
    own = (true.sum(dim=1) > 0).float()
    sizes = torch.stack([true[:, 0] + true[:, 2], true[:, 1] + true[:, 3]], dim=1).repeat(1, 2, 1, 1)
    off = (EDGE_PX * functional.softplus(said) - true) / (0.15 * sizes + 8)
    each = functional.smooth_l1_loss(off, torch.zeros_like(off), reduction="none").clamp(max=4).sum(dim=1)
    return (each * own).sum() / own.sum().clamp(min=1)


def _take_up(network: _Learning, arrays: Mapping[str, npt.NDArray[np.float16]], pictures: torch.Tensor) -> None:
    """Put in what was written down, so that batch normalisation leaves what these pictures give as it was."""

    def unfolded(norm: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        batch, offset = cast("nn.BatchNorm2d", norm), offsets[norm]
        spread, mean = torch.var_mean(given[0], dim=(0, 2, 3), correction=0)
        batch.weight.copy_(torch.sqrt(spread + batch.eps))
        batch.bias.copy_(offset + mean)

    offsets: dict[nn.Module, torch.Tensor] = {}
    with torch.no_grad():
        for name, layer in _layers_of(network).items():
            own_shape = tuple(cast("nn.Conv2d", layer[0]).weight.shape)
            if f"{name}_k" not in arrays or arrays[f"{name}_k"].size != np.prod(own_shape):
                continue
            kernel, offset = (torch.from_numpy(arrays[f"{name}_{part}"].astype(np.float32)) for part in "kb")
            kernel = kernel.reshape(own_shape)
            if name == "c0":
                kernel, offset = kernel * SCALE, offset + MIDDLE * SCALE * kernel.sum((1, 2, 3))
            cast("nn.Conv2d", layer[0]).weight.copy_(kernel)
            offsets[layer[1]] = offset
        for name in TOLD:
            own = cast("nn.Conv2d", getattr(network, name))
            if f"{name}_k" not in arrays or arrays[f"{name}_k"].size != own.weight.numel():
                continue
            own.weight.copy_(torch.from_numpy(arrays[f"{name}_k"].astype(np.float32)).reshape(own.weight.shape))
            assert own.bias is not None
            own.bias.copy_(torch.from_numpy(arrays[f"{name}_b"].astype(np.float32)))
        hooks = [norm.register_forward_pre_hook(unfolded) for norm in offsets]
        network(pictures / SCALE - MIDDLE)
        for hook in hooks:
            hook.remove()


def _layers_of(network: _Learning) -> dict[str, nn.Module]:
    return {f"c{index}": layer for index, layer in enumerate(network.c)} | {
        name: getattr(network, name) for name in ("p5", "p4", "p3", "l1", "l2", "l3")
    }


def _written(network: _Learning) -> dict[str, npt.NDArray[np.float16]]:
    """The arrays by name: batch normalisation and the scale of the levels folded into the convolutions."""
    arrays = {}
    with torch.no_grad():
        for name, layer in _layers_of(network).items():
            convolution, norm = layer[0], layer[1]
            spread, mean = cast("torch.Tensor", norm.running_var), cast("torch.Tensor", norm.running_mean)
            gain = norm.weight / torch.sqrt(spread + norm.eps)
            kernel, offset = convolution.weight * gain[:, None, None, None], norm.bias - mean * gain
            if name == "c0":
                kernel, offset = kernel / SCALE, offset - MIDDLE * kernel.sum((1, 2, 3))
            arrays[f"{name}_k"], arrays[f"{name}_b"] = kernel.numpy(), offset.numpy()
        for name in TOLD:
            layer = getattr(network, name)
            arrays[f"{name}_k"], arrays[f"{name}_b"] = layer.weight.numpy(), layer.bias.numpy()
    return {
        name: (a if a.shape[-1] > 1 or a.ndim == 1 else a[..., 0, 0]).astype(np.float16) for name, a in arrays.items()
    }
