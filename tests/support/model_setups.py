"""The model inspectors as the product puts them together, for one server. Nothing here is tested for itself."""

from __future__ import annotations

from typing import Any

from builders import an_image
from pictures import scene
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import ReviewImage
from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Brief, Finding, Inspection, Scope
from review_copilot.inspectors.assembly import openai_inspector
from review_copilot.inspectors.hybrid import HybridInspector
from review_copilot.inspectors.options import ModelSetup
from review_copilot.library import load_guideline, prompt_source
from review_copilot.ports import Inspector, Shared

GUIDELINE = load_guideline("photo-quality")
PRICES = 'prices: [{match: "fake-vlm", input: 10.0, cached: 1.0, output: 50.0, read: "2026-11"}]'
FACT = Finding("PQ-05", Severity.MINOR, 0.8, None, "Clipped over 3 % of the picture.", {"clipped_percent": 3.0})
"""What only a measurement sees; it must survive whatever the model says."""


class Measuring:
    """An inspector that measured one flaw that no model can judge."""

    name = "builtin"
    version = "1"

    def catalogue(self) -> tuple[Measure, ...]:
        return (Measure("clipped_highlights", "% of the picture", Scope.REGION, model_can_judge=False),)

    def inspect(self, brief: Brief) -> Inspection:
        return Inspection((FACT,), examined=frozenset({"PQ-05"}))


def setup_for(base_url: str, **changes: Any) -> ModelSetup:
    known: dict[str, Any] = {
        "model": "fake-vlm",
        "system_prompt": prompt_source("inspect.system.md.j2"),
        "user_prompt": prompt_source("inspect.user.md.j2"),
        "second_look_prompt": prompt_source("second_look.md.j2"),
        "profile_files": (prompt_source("profiles.yaml"),),
        "price_files": (PRICES,),
        "base_url": base_url,
        "timeout_s": 20.0,
    }
    return ModelSetup(**(known | changes))


def inspector_for(name: str, base_url: str, **changes: Any) -> Inspector:
    """`openai` or `hybrid`, as the product makes it."""
    model = openai_inspector(setup_for(base_url, **changes), shared=Shared())
    return model if name == "openai" else HybridInspector(measuring=Measuring(), model=model)


def large_picture(seed: int = 3) -> ReviewImage:
    """Large enough that close-ups go out beside it."""
    return an_image(scene(width_px=2000, height_px=1500, seed=seed))
