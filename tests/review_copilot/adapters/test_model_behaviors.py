"""Every behavior of real model servers, over `openai` and `hybrid`: what must come of each is the fake's own word.

The fake was written from public issues by someone who had not read the reader.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from builders import an_image
from manglings import SAMPLE_REPLY
from model_server import AZURE, BEHAVIORS, EXAMINES_NOTHING, WELL, Behavior, ModelServer, serve
from model_setups import FACT, GUIDELINE, PRICES, inspector_for, large_picture
from pictures import scene
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Verdict
from review_copilot.domain.suggestion import Brief, Finding, Inspection, Usage
from review_copilot.errors import InspectorError
from review_copilot.inspectors.pricing import read_prices

LARGE, SMALL = large_picture(), an_image(scene())
DISAGREEMENTS: Mapping[str, str] = {}
"""Behaviors of which another outcome than the fake's is right, and why."""
ALL = [one for one in (*BEHAVIORS, WELL, EXAMINES_NOTHING) if one.name not in DISAGREEMENTS]


def in_thousandths(box: Box | None) -> tuple[int, ...] | None:
    return None if box is None else tuple(round(1000 * v) for v in (box.x, box.y, box.right, box.bottom))


EXPECTED = [
    (f["criterion"], f["severity"], tuple(f["box"]) if f["box"] else None, f["rationale"], f["confidence"] / 100)
    for f in SAMPLE_REPLY["findings"]
]


def told(findings: tuple[Finding, ...]) -> list[object]:
    """What the model's findings say, in the words of the sample."""
    return [
        (f.criterion_id, f.severity.value, in_thousandths(f.box), f.rationale, f.evidence["model_confidence"])
        for f in findings
        if "fake-vlm" in f.source
    ]


def inspected(server: ModelServer, name: str, base_url: str = "") -> Inspection:
    picture = LARGE if server.behavior.category in {"capability", "pictures"} else SMALL  # several pictures, or one
    return inspector_for(name, base_url or server.base_url).inspect(Brief(picture, GUIDELINE))


@pytest.mark.parametrize("name", ["openai", "hybrid"])
@pytest.mark.parametrize("behavior", ALL, ids=lambda behavior: f"{behavior.category}-{behavior.name}")
def test_each_behavior_comes_to_what_it_must(behavior: Behavior, name: str) -> None:
    with serve(behavior) as server:
        if behavior.expect == "typed_failure":
            with pytest.raises(InspectorError) as raised:
                inspected(server, name)
            assert behavior.words.lower() in str(raised.value).lower()
            return
        said = inspected(server, name)
    assert (FACT in said.findings) == (name == "hybrid")
    if behavior.expect == "same_findings":
        assert told(said.findings) == EXPECTED
        assert not said.incomplete
        assert said.verdict is (Verdict.FAIL if name == "openai" and behavior.name != "bare_list" else None)
    else:
        assert said.incomplete
        assert said.verdict in {None, Verdict.FAIL}
        assert all(finding in EXPECTED for finding in told(said.findings))
        assert said.summary.startswith("Incomplete draft")


@pytest.mark.parametrize("behavior", [b for b in BEHAVIORS if b.booked], ids=lambda behavior: behavior.name)
def test_what_each_answered_call_took_is_booked(behavior: Behavior) -> None:
    """Tokens and money are those that the answered calls truly took, for good drafts and for failures."""
    with serve(behavior) as server:
        try:
            usage = inspected(server, "openai").usage
            assert usage is not None
            took, cost_usd = (usage.prompt_tokens, usage.completion_tokens), usage.cost_usd
        except InspectorError as error:
            took, cost_usd = (error.tokens[0], error.tokens[2]), error.cost_usd
        answered = sum(one.status == 200 for one in server.chats)
    assert behavior.booked is not None
    least = (answered > 0) * behavior.booked[0], (answered > 0) * behavior.booked[1]
    if behavior.name == "bare_completion":
        assert took > least, "it names no usage: what it may have taken at most is booked"
    elif behavior.category in {"reading", "accounting", "partial"}:
        assert took == (answered * behavior.booked[0], answered * behavior.booked[1])
    elif answered and behavior.category == "capability":
        assert took >= least
    assert cost_usd <= read_prices(PRICES)[0].cost_usd(Usage(*(took[0], 0, took[1]))) + 1e-9


def test_azure_is_asked_at_its_deployment_with_its_version() -> None:
    with serve(AZURE) as server:
        said = inspected(server, "openai", server.azure_url)
        assert told(said.findings) == EXPECTED
        assert all(one.query == {"api-version": "2024-10-21"} for one in server.chats)
        assert all("api-key" in one.headers for one in server.chats)
