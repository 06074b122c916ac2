"""The embedding model of the settings, for reports. Loads no weights until a crop is measured."""

from __future__ import annotations

from review_copilot.inspectors.embedding import CropEmbedder
from review_copilot.ports import CropMeasure
from review_copilot.settings import Settings


def embedder_of(settings: Settings) -> CropMeasure | None:
    """The embedding model of the settings; None where crops are measured.

    Raises:
        ExtraMissing: What it needs is not installed.
    """
    device = "cpu" if settings.model_device == "auto" else settings.model_device
    return CropEmbedder(settings.embedding_model, device=device) if settings.embedding_model else None
