"""Compare submissions with suggestions. Knows no Label Studio format, no SQL, and no clock.

`compare` is the verb; `choice` finds the review to compare with, `matching` pairs regions without a common id, `rows`
words one pair as a row of the log, `magic` does the same for what was offered on request.
"""

from review_copilot.compare.annotation import compare

__all__ = ["compare"]
