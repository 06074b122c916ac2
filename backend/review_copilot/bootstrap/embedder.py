"""Create the embedding model of the settings, for reports. The first crop loads the weights."""

from __future__ import annotations

from review_copilot.inspectors.embedding import CropEmbedder
from review_copilot.ports import CropMeasure
from review_copilot.settings import Settings


def embedder_of(settings: Settings) -> CropMeasure | None:
    """The embedding model of the settings; None if none is set, so that crops are described by measures.

    Raises:
        ExtraMissing: A package that the model needs is not installed.
    """
    device = "cpu" if settings.model_device == "auto" else settings.model_device
    return CropEmbedder(settings.embedding_model, device=device) if settings.embedding_model else None
