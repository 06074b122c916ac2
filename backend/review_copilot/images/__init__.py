"""Load the image of a task (URL, upload, local file, cloud URI, data URI) as upright RGB pixels, within limits."""

from review_copilot.images.decode import open_image
from review_copilot.images.fetch import ImageFetcher

__all__ = ["ImageFetcher", "open_image"]
