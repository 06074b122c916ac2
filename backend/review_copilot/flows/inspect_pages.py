"""Inspect the pages of a document one by one, and put them together. Knows no inspector.

Each page is inspected like an image of its own, so that every inspector sees it at full size. A later page that cannot
be inspected costs only itself: the draft names it, and cannot be a "pass".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from review_copilot.domain.image import ReviewImage
from review_copilot.domain.review import Review
from review_copilot.domain.suggestion import Inspection, Usage
from review_copilot.errors import CopilotError, InspectorError, NoFurtherCalls, RequestAbandoned

MOST_PAGES = 20
"""Maximum number of inspected pages of one task: more would take longer than a reviewer's patience and a lease."""
_MOST_NAMED = 6


@dataclass(frozen=True)
class Document:
    """The inspected pages of a task.

    Attributes:
        inspection: Of all pages together. Each finding names its page.
        images: Inspected page by number, starting at 0.
        count: Number of pages, including those that were not inspected.
    """

    inspection: Inspection
    images: Mapping[int, ReviewImage]
    count: int

    def described(self, review: Review) -> Review:
        """The review with what is known about the pages.

        Hashes concern all pages, so that two documents with the same cover are not taken for the same image.
        """
        sizes = [self.images.get(page) for page in range(self.count)]
        hashes = "\n".join(image.sha256 for image in self.images.values())
        missing = [page for page in range(self.count) if page not in self.images]
        opening = f"Incomplete draft: {_named(missing)} not inspected; see its notes." if missing else ""
        return replace(
            review,
            summary=f"{opening} {review.summary}".strip(),
            page_sizes_px=tuple((image.width_px, image.height_px) if image else (0, 0) for image in sizes),
            image_sha256=hashlib.sha256(hashes.encode()).hexdigest(),
            image_fingerprint="",
        )


def inspect_pages(count: int, *, look: Callable[[int], tuple[ReviewImage, Inspection]]) -> Document:
    """Inspect the pages of a task.

    Args:
        count: Number of pages, at least 1; the first `MOST_PAGES` are inspected.
        look: Loads and inspects one page, starting at 0.

    Raises:
        CopilotError: The first page cannot be inspected, or no further call may be made.
    """
    found: dict[int, Inspection] = {}
    images: dict[int, ReviewImage] = {}
    notes: list[str] = []
    usage = Usage()
    for page in range(min(count, MOST_PAGES)):
        try:
            image, inspection = look(page)
        except CopilotError as error:
            if page == 0 or isinstance(error, NoFurtherCalls | RequestAbandoned):
                raise
            notes.append(f"Page {page + 1} was not inspected: {error}")
            usage = usage.plus(spent_on(error) or Usage())
            continue
        found[page] = on_page(inspection, page)
        images[page] = replace(image)  # a copy without decoded pixels, so that memory holds one page at a time
    if count > MOST_PAGES:
        notes.append(f"Pages {MOST_PAGES + 1} to {count} were not inspected: the limit is {MOST_PAGES} pages.")
    return Document(_together(found, notes=notes, usage=usage, complete=len(found) == count), images, count)


def on_page(inspection: Inspection, page: int) -> Inspection:
    """The inspection with findings that name their page."""
    return replace(inspection, findings=tuple(replace(finding, page=page) for finding in inspection.findings))


def _together(found: Mapping[int, Inspection], *, notes: list[str], usage: Usage, complete: bool) -> Inspection:
    """One inspection of all pages; a criterion is examined if it was examined on each of them."""
    parts = list(found.values())
    for part in parts:
        usage = usage.plus(part.usage or Usage())
    said = [f"Page {page + 1}: {note}" for page, part in found.items() for note in part.notes]
    return Inspection(
        findings=tuple(finding for part in parts for finding in part.findings),
        notes=(*notes, *said),
        dropped=tuple(dropped for part in parts for dropped in part.dropped),
        usage=usage if usage != Usage() else None,
        prompt_hash=parts[0].prompt_hash,
        examined=frozenset.intersection(*(part.examined for part in parts)),
        sure_from=max(part.sure_from for part in parts),
        incomplete=not complete or any(part.incomplete for part in parts),
    )


def spent_on(error: CopilotError) -> Usage | None:
    """What model calls cost that brought no draft; None if none were made."""
    if not isinstance(error, InspectorError) or not error.tokens[-1]:
        return None
    prompt, cached, completion, calls = error.tokens
    return Usage(prompt, cached, completion, error.cost_usd, calls)


def _named(pages: list[int]) -> str:
    """Numbers of pages as people count them, such as "pages 2 and 5 were"."""
    numbers = [str(page + 1) for page in pages[:_MOST_NAMED]]
    if len(pages) == 1:
        return f"page {numbers[0]} was"
    if len(pages) > _MOST_NAMED:
        return f"pages {', '.join(numbers)} and {len(pages) - _MOST_NAMED} more were"
    return f"pages {', '.join(numbers[:-1])} and {numbers[-1]} were"
