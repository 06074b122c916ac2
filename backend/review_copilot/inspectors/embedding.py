"""Describe crops by a local embedding model, through Hugging Face transformers: CLIP, SigLIP, DINOv2, ViT and such.

Nothing is downloaded: the model is a folder, or is in the Hugging Face cache already. Needs the extra `[embeddings]`;
importing this module does not.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from review_copilot.concurrency.lazy_value import LazyValue
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.errors import ExtraMissing, SettingsError
from review_copilot.ports.inspecting import Numbers

SETTING = "REVIEW_COPILOT_EMBEDDING_MODEL"
MARGIN = 0.15
"""Margin around a box that the model sees, as a share of its sides: the surroundings show what a flaw lies on."""


@dataclass(frozen=True)
class CropEmbedder:
    """Implements `ports.CropMeasure` by a model; the weights are loaded by the first crop.

    Attributes:
        model: A folder, or a name in the Hugging Face cache.
        device: As torch names it.
    """

    model: str
    device: str = "cpu"
    _packages: dict[str, Any] = field(default_factory=dict, repr=False)
    _loaded: LazyValue[tuple[Any, Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """See that the packages are there.

        Raises:
            ExtraMissing: The extra `[embeddings]` is not installed.
        """
        object.__setattr__(self, "_loaded", LazyValue(self._load))
        for name in ("torch", "transformers"):
            try:
                self._packages[name] = importlib.import_module(name)
            except ImportError as error:
                raise ExtraMissing(
                    f"{SETTING} is set, and packages that it needs are not installed.",
                    hint='Run: pip install "label-studio-review-copilot[embeddings]"',
                ) from error

    def __call__(self, pixels: Pixels, box: Box) -> Numbers:
        """The crop's embedding, of length 1.

        Raises:
            SettingsError: The model cannot be loaded.
        """
        processor, model = self._loaded()
        crop = Image.fromarray(np.ascontiguousarray(_around(pixels, box)))
        inputs = processor(images=crop, return_tensors="pt").to(self.device)
        with self._packages["torch"].inference_mode():
            said = model.get_image_features(**inputs) if hasattr(model, "get_image_features") else model(**inputs)
        vector = getattr(said, "pooler_output", None)
        if vector is None:
            vector = said.last_hidden_state.mean(dim=1) if hasattr(said, "last_hidden_state") else said
        numbers = np.asarray(vector[0].float().cpu().numpy(), dtype=np.float64)
        return np.asarray(numbers / max(float(np.linalg.norm(numbers)), 1e-12))

    def _load(self) -> tuple[Any, Any]:
        transformers = self._packages["transformers"]
        try:
            processor = transformers.AutoImageProcessor.from_pretrained(self.model, local_files_only=True)
            model = transformers.AutoModel.from_pretrained(self.model, local_files_only=True)
            return processor, model.to(self.device).eval()
        except (OSError, ValueError, ImportError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise SettingsError(
                f"The embedding model {self.model!r} cannot be loaded: {reason}",
                hint=f"{SETTING} names a folder, or a model that is in the Hugging Face cache; nothing is downloaded.",
            ) from error


def _around(pixels: Pixels, box: Box) -> Pixels:
    height, width = pixels.shape[:2]
    wide, high = MARGIN * box.width, MARGIN * box.height
    grown = Box(box.x - wide, box.y - high, box.width + 2 * wide, box.height + 2 * high).clipped() or Box.whole()
    left, top = int(grown.x * width), int(grown.y * height)
    right, bottom = max(left + 1, round(grown.right * width)), max(top + 1, round(grown.bottom * height))
    return pixels[top:bottom, left:right]
