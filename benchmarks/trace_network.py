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
from review_copilot.inspectors.classical.traces import BRANCHES, STEPS

Rng: TypeAlias = np.random.Generator
Batch: TypeAlias = tuple[torch.Tensor, ...]
"""Pictures 0..255, shape (pictures, 3, rows, columns); share of each square that lettering covers; pixels of each
square that a line covers."""
WIDTHS = (12, 16, 16, 32, 32, 48, 48, 48, 48)
"""Channels after each convolution."""
SCALE, MIDDLE = 64.0, 1.75
"""What levels are divided by, and what is taken away then; folded into the first convolution."""
LINE_WEIGHT, LINE_SHARE = 3.0, 3.0
"""How much more a square with a line counts than one without, and lines than lettering."""
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
        fine, middle, coarse = (WIDTHS[index] for index in BRANCHES)
        self.p4, self.p3, self.l2 = _joined(coarse, middle), _joined(middle, fine), _joined(fine, fine)
        self.let, self.lin = nn.Conv2d(middle, 1, 1), nn.Conv2d(fine, 1, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        kept = []
        for index, layer in enumerate(self.c):
            x = layer(x)
            if index in BRANCHES:
                kept.append(x)
        fine, middle, coarse = kept
        middle = middle + _twice(self.p4(coarse + _twice(x)))
        fine = fine + _twice(self.p3(middle))
        return self.let(middle)[:, 0], self.lin(self.l2(fine))[:, 0]


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
        pictures, letters, lines = batches(rng)
        with torch.autocast("cpu", torch.bfloat16):
            said = learning(pictures / SCALE - MIDDLE)
        wrong = _wrong_letters(said[0].float(), letters) + LINE_SHARE * _wrong_lines(said[1].float(), lines)
        descent.zero_grad()
        wrong.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
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


def _wrong_lines(odds: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Squares beside a line, or with one pixel of it, count less."""
    truth = (pixels >= 2).float()
    beside = (functional.max_pool2d(truth[:, None], 3, 1, 1)[:, 0] > 0) & (truth == 0)
    weight = torch.where(truth > 0, LINE_WEIGHT, 1.0) * torch.where(beside | (pixels == 1), 0.3, 1.0)
    return (functional.binary_cross_entropy_with_logits(odds, truth, reduction="none") * weight).mean()


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
            kernel, offset = (torch.from_numpy(arrays[f"{name}_{part}"].astype(np.float32)) for part in "kb")
            kernel = kernel.reshape(cast("nn.Conv2d", layer[0]).weight.shape)
            if name == "c0":
                kernel, offset = kernel * SCALE, offset + MIDDLE * SCALE * kernel.sum((1, 2, 3))
            cast("nn.Conv2d", layer[0]).weight.copy_(kernel)
            offsets[layer[1]] = offset
        for name in ("let", "lin"):
            own = cast("nn.Conv2d", getattr(network, name))
            own.weight.copy_(torch.from_numpy(arrays[f"{name}_k"].astype(np.float32)).reshape(own.weight.shape))
            assert own.bias is not None
            own.bias.copy_(torch.from_numpy(arrays[f"{name}_b"].astype(np.float32)))
        hooks = [norm.register_forward_pre_hook(unfolded) for norm in offsets]
        network(pictures / SCALE - MIDDLE)
        for hook in hooks:
            hook.remove()


def _layers_of(network: _Learning) -> dict[str, nn.Module]:
    return {f"c{index}": layer for index, layer in enumerate(network.c)} | {
        name: getattr(network, name) for name in ("p4", "p3", "l2")
    }


def _written(network: _Learning) -> dict[str, npt.NDArray[np.float16]]:
    """The arrays by name: batch normalisation and the scale of the levels folded into the convolutions."""
    arrays = {}
    with torch.no_grad():
        for name, layer in _layers_of(network).items():
            convolution, norm = cast("tuple[nn.Conv2d, nn.BatchNorm2d]", (layer[0], layer[1]))
            spread, mean = cast("torch.Tensor", norm.running_var), cast("torch.Tensor", norm.running_mean)
            gain = norm.weight / torch.sqrt(spread + norm.eps)
            kernel, offset = convolution.weight * gain[:, None, None, None], norm.bias - mean * gain
            if name == "c0":
                kernel, offset = kernel / SCALE, offset - MIDDLE * kernel.sum((1, 2, 3))
            arrays[f"{name}_k"], arrays[f"{name}_b"] = kernel.numpy(), offset.numpy()
        for name in ("let", "lin"):
            layer = getattr(network, name)
            arrays[f"{name}_k"], arrays[f"{name}_b"] = layer.weight.numpy(), layer.bias.numpy()
    return {
        name: (a if a.shape[-1] > 1 or a.ndim == 1 else a[..., 0, 0]).astype(np.float16) for name, a in arrays.items()
    }
