"""Seeded manglings of a reply: up to three at once keep its findings, and a broken reply gives none."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from manglings import MOST_AT_ONCE, SAMPLE_REPLY, break_reply, mangle
from review_copilot.inspectors.coordinates import Convention, Order, Unit
from review_copilot.inspectors.reply import ReplyFinding, ReplyForm, ReplyProblem
from review_copilot.inspectors.reply_reader import read_reply
from review_copilot.inspectors.views import View
from review_copilot.library import load_guideline

FORM = ReplyForm(load_guideline("photo-quality"), Convention(Unit.THOUSANDTHS, Order.XYXY))
VIEW = View(np.zeros((750, 1000, 3), np.uint8))
SEEDS = 1500


def found(text: str) -> tuple[ReplyFinding, ...]:
    return read_reply(text, form=FORM, views=[VIEW]).findings


HONEST = tuple(
    (f["criterion"], f["severity"], None if f["box"] is None else tuple(f["box"]), f["rationale"], f["confidence"])
    for f in SAMPLE_REPLY["findings"]
)


def as_said(finding: ReplyFinding) -> tuple[object, ...]:
    box = finding.box
    edges = None if box is None else tuple(round(1000 * v) for v in (box.x, box.y, box.right, box.bottom))
    share = round(100 * finding.confidence)
    return finding.criterion_id, finding.severity.value, edges, finding.rationale, share


@pytest.mark.parametrize("count", range(MOST_AT_ONCE + 1))
def test_manglings_keep_the_findings(count: int) -> None:
    for seed in range(SEEDS if count else 1):
        mangled = mangle(SAMPLE_REPLY, Random(seed), count)
        said = tuple(map(as_said, found(mangled.text)))
        assert said == HONEST, (seed, mangled.names, mangled.text)


def test_a_broken_reply_gives_no_finding() -> None:
    """What ended at the length limit is never read at all, so only replies that say `stop` are read here."""
    for seed in range(SEEDS):
        broken = break_reply(SAMPLE_REPLY, Random(seed))
        if broken.finish_reason == "stop":
            with pytest.raises(ReplyProblem):
                found(broken.text)


def test_a_mangled_broken_reply_gives_no_finding() -> None:
    """A fence or thoughts around a broken reply make nothing of it."""
    fences = ("```json\n{}\n```", "<think>Perhaps.</think>{}", "Here it is:\n{}", "~~~\n{}")
    for seed in range(SEEDS):
        broken = break_reply(SAMPLE_REPLY, Random(seed))
        if broken.finish_reason == "stop":
            with pytest.raises(ReplyProblem):
                found(Random(seed).choice(fences).replace("{}", broken.text))
