"""From what a task names (URL, upload, local file, cloud URI, data URI) to an upright RGB image, within limits."""

from review_copilot.images.decode import open_image
from review_copilot.images.fetch import ImageFetcher

__all__ = ["ImageFetcher", "open_image"]
