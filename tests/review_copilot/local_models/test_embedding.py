"""Crops described by real code of transformers: a tiny CLIP and a tiny ViT with random weights, from a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    PreTrainedModel,
    ViTConfig,
    ViTModel,
)

from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.errors import SettingsError
from review_copilot.inspectors.embedding import CropEmbedder

PX = 28
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def clip() -> PreTrainedModel:
    seeing = {**SMALL, "image_size": PX, "patch_size": 14}
    return CLIPModel(CLIPConfig(text_config={**SMALL, "vocab_size": 64}, vision_config=seeing, projection_dim=16))


def vit() -> PreTrainedModel:
    return ViTModel(ViTConfig(**SMALL, image_size=PX, patch_size=14), add_pooling_layer=False)


@pytest.fixture(params=[clip, vit])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    torch.manual_seed(3)
    request.param().save_pretrained(tmp_path)
    processor = CLIPImageProcessor(size={"shortest_edge": PX}, crop_size={"height": PX, "width": PX})
    processor.save_pretrained(tmp_path)
    return tmp_path


def stripes(*, across: bool, seed: int) -> Pixels:
    pixels = np.random.default_rng(seed).integers(90, 110, (90, 120, 3)).astype(np.uint8)
    if across:
        pixels[::6] = 240
    else:
        pixels[:, ::6] = 10
    return pixels


def test_like_crops_have_like_embeddings(folder: Path) -> None:
    embed, here = CropEmbedder(str(folder)), Box(0.2, 0.2, 0.5, 0.5)
    one, same, other = (
        embed(stripes(across=across, seed=seed), here) for across, seed in ((True, 1), (True, 2), (False, 3))
    )
    assert one.shape == same.shape
    assert np.linalg.norm(one) == pytest.approx(1.0)
    assert one @ same > one @ other


def test_a_crop_at_the_edge_and_of_one_pixel_is_described(folder: Path) -> None:
    embed = CropEmbedder(str(folder))
    for box in (Box(0.0, 0.0, 1.0, 1.0), Box(0.99, 0.99, 0.01, 0.01)):
        assert np.isfinite(embed(stripes(across=True, seed=1), box)).all()


def test_a_model_that_is_not_there_is_named_and_not_fetched() -> None:
    with pytest.raises(SettingsError, match=r"nobody/has-this.*nothing is downloaded"):
        CropEmbedder("nobody/has-this")(stripes(across=True, seed=1), Box.whole())
