"""Simulated projects with known faults, for judging what a study of the override log finds.

They are made from the description of the log and of the faults, and share no code with the study. `WORLDS[name](seed)`
draws a world, `write_export` writes it as an export. Limits, so that nobody reads more into them:

- Blind tasks (`withheld`) are logged as suggestions beside what was drawn: a box of the same flaw is `edited` with a
  region id of its own, what nobody drew is `rejected`. People overlook some flaws there, so rejections are more common.
- A deleted suggestion carries no reason and no note; one that is marked "not a defect" does.
- Hardness, truth and taste are never in the rows. Scores are chances in about six of ten worlds.
- Faults are drawn strong enough that a test that knows where to look sees them early (`Truth.bound`); weak faults are
  not simulated. Their logs were chosen for that, so recall on weaker faults will be lower.
"""

from worlds.catalog import WORLDS
from worlds.export import FORMATS, write_export, write_truth
from worlds.nouns import CAUSES, COLUMNS, Make, Row, Truth, World

__all__ = [
    "CAUSES",
    "COLUMNS",
    "FORMATS",
    "WORLDS",
    "Make",
    "Row",
    "Truth",
    "World",
    "write_export",
    "write_truth",
]
