"""A process that writes to a log until it is killed, and tells after each append what it was told is written.

Run: `python store_writer.py URL FIRST LAST`. Writes one revision for each annotation id from FIRST up to LAST.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fake_clock import FakeClock
from review_copilot.ports import WebhookNotice
from review_copilot.store import open_store
from store_ledger import comparison


def main() -> None:
    url, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    store = open_store(url, clock=FakeClock())
    for annotation_id in range(first, last):
        store.put(WebhookNotice(0, "i", 7, (annotation_id,), "ANNOTATION_CREATED"))
        store.append(comparison(annotation_id))
        sys.stdout.write(f"{annotation_id}\n")
        sys.stdout.flush()
    store.close()


if __name__ == "__main__":
    main()
