"""An external inspector: it flags images with few pixels. Imports nothing of the product but its plugin module."""

from review_copilot.plugin import (
    Brief,
    Finding,
    Inspection,
    InspectorOptions,
    Measure,
    Scope,
    Severity,
    hash_of_package,
)

MEASURE = Measure("low_resolution", "times too coarse", Scope.IMAGE, model_can_judge=False)


class MegapixelInspector:
    """Compares the longer side with a minimum. Safe to call from several threads."""

    name = "megapixels"
    version = hash_of_package("megapixel_inspector")

    def __init__(self, least_side_px: float) -> None:
        self._least_side_px = least_side_px

    def catalogue(self) -> tuple[Measure, ...]:
        """The one measure."""
        return (MEASURE,)

    def inspect(self, brief: Brief) -> Inspection:
        """Measure the whole image; a drawn box has no size of its own to judge."""
        criterion = next((c for c in brief.guideline.criteria if MEASURE.name in c.measures), None)
        width_px, height_px = brief.image.pixels.shape[1], brief.image.pixels.shape[0]
        if criterion is None or brief.box is not None:
            return Inspection(())
        examined, side_px = frozenset({criterion.id}), max(width_px, height_px)
        if side_px >= self._least_side_px:
            return Inspection((), examined=examined)
        severity = criterion.severity_of(self._least_side_px / side_px) or Severity.MINOR
        text = f"Whole image: the longer side has {side_px} px; at least {self._least_side_px:g} px are needed."
        finding = Finding(criterion.id, severity, 0.9, None, text, evidence={"longer_side_px": side_px})
        return Inspection((finding,), examined=examined)


def create_inspector(options: InspectorOptions) -> MegapixelInspector:
    """The factory that the entry point names."""
    return MegapixelInspector(options.number("least_side_px", 640))
