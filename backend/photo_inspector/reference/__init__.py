"""Compare an image with the reference that its task names."""

from photo_inspector.reference.compare import compare_with_reference

__all__ = ["compare_with_reference"]
