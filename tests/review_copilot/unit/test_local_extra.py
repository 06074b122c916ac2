from __future__ import annotations

import sys

import pytest

from review_copilot.errors import ExtraMissing, InspectorUnavailable
from review_copilot.inspectors.embedding import CropEmbedder
from review_copilot.inspectors.local_transformers import LocalChat, LocalModel


@pytest.mark.parametrize("package", ["torch", "transformers", "xgrammar"])
def test_without_the_extra_the_error_names_the_pip_command(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("torch", "transformers", "xgrammar"):
        monkeypatch.setitem(sys.modules, module, sys if module != package else None)
    with pytest.raises(InspectorUnavailable, match=r'pip install "label-studio-review-copilot\[local\]"'):
        LocalChat(LocalModel("any"))


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_without_the_extra_an_embedding_model_names_its_pip_command(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("torch", "transformers"):
        monkeypatch.setitem(sys.modules, module, sys if module != package else None)
    with pytest.raises(ExtraMissing, match=r'pip install "label-studio-review-copilot\[embeddings\]"'):
        CropEmbedder("any")
