"""Every inspector of the product passes the suite that third parties run over theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fake_endpoint import Turn, endpoint, finding, reply
from photo_inspector.inspector import BuiltinInspector
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Severity
from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Brief, Finding, Inspection, Scope
from review_copilot.inspectors.hybrid import HybridInspector
from review_copilot.inspectors.model_inspector import ModelInspector, ModelOptions
from review_copilot.inspectors.openai_compatible import Endpoint, OpenAIChat
from review_copilot.inspectors.profiles import Profile
from review_copilot.inspectors.prompt import PromptTemplates
from review_copilot.library import prompt_source
from review_copilot.plugin.contract_suite import InspectorContract
from review_copilot.ports import Inspector

SOFT = Measure("defocus", "px of blur", Scope.IMAGE)


def busy_model(turn: Turn) -> str:
    """A model with a good finding and a handful of bad ones."""
    if "check the findings" in turn.system:
        return '{"reason": "r", "visible": true, "sure": 70}'
    return reply(
        finding("K-01", [400, 400, 700, 700]),
        finding("K-02", [900, -20, 1020, 100], rationale="two\nlines"),
        finding("K-03", [5, 5, 5, 5]),
        finding("HACK-1"),
        finding("uncovered", description="Odd"),
        verdict="approved",
    )


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with endpoint(busy_model) as server:
        yield server.url


def model_inspector(url: str) -> ModelInspector:
    templates = PromptTemplates(
        *(prompt_source(name) for name in ("inspect.system.md.j2", "inspect.user.md.j2", "second_look.md.j2"))
    )
    return ModelInspector(
        name="openai",
        chat=OpenAIChat(Endpoint("a-model", base_url=url)),
        profile=Profile("test"),
        templates=templates,
        options=ModelOptions(second_look=True),
    )


class TestBuiltin(InspectorContract):
    def make_inspector(self) -> Inspector:
        return BuiltinInspector()


class TestOpenAI(InspectorContract):
    @pytest.fixture(autouse=True)
    def _served(self, url: str) -> None:
        self.url = url

    def make_inspector(self) -> Inspector:
        return model_inspector(self.url)


class TestHybrid(InspectorContract):
    @pytest.fixture(autouse=True)
    def _served(self, url: str) -> None:
        self.url = url

    def make_inspector(self) -> Inspector:
        return HybridInspector(measuring=BuiltinInspector(), model=model_inspector(self.url))


class Liar:
    """An inspector that breaks its word in one respect."""

    name = "liar"
    version = "1"

    def __init__(
        self, *, examined: frozenset[str] = frozenset({"K-01"}), measures: tuple[Measure, ...] = (), **wrong: object
    ) -> None:
        self._wrong, self._examined, self._measures = wrong, examined, measures

    def catalogue(self) -> tuple[Measure, ...]:
        return self._measures

    def inspect(self, brief: Brief) -> Inspection:
        said: dict[str, object] = {
            "criterion_id": "K-01",
            "severity": Severity.MINOR,
            "score": 0.5,
            "box": Box(0.5, 0.5, 0.1, 0.1),
            "rationale": "Soft.",
        }
        finding = Finding(**(said | self._wrong))  # type: ignore[arg-type]  # wrong on purpose
        return Inspection((finding,), examined=self._examined)


@pytest.mark.parametrize(
    "wrong",
    [
        {"criterion_id": "K-99"},
        {"severity": "fatal"},
        {"score": 1.2},
        {"score": float("nan")},
        {"rationale": " "},
        {"rationale": "a\nb"},
        {"box": Box(0.9, 0.9, 0.2, 0.2)},
        {"box": Box(0.5, 0.5, 0.0, 0.1)},
        {"evidence": {"width": float("inf")}},
        {"source": ""},
        {"examined": frozenset()},
        {"examined": frozenset({"K-02"})},
        {"examined": frozenset({"K-01", "K-99"})},
        {"criterion_id": UNCOVERED, "examined": frozenset({UNCOVERED})},
    ],
)
def test_the_suite_finds_who_breaks_their_word(wrong: dict[str, Any]) -> None:
    class Suite(InspectorContract):
        def make_inspector(self) -> Inspector:
            return Liar(**wrong)

    with pytest.raises(AssertionError, match="expected: "):
        Suite().test_what_it_says_fits_the_guideline()


@pytest.mark.parametrize(
    "catalogues",
    [
        [(SOFT, SOFT), (SOFT, SOFT)],
        [(SOFT, replace(SOFT, unit="%")), (SOFT, replace(SOFT, unit="%"))],
        [(SOFT,), (replace(SOFT, unit="%"),)],
        [(SOFT,), ()],
        [(replace(SOFT, name=" "),), (replace(SOFT, name=" "),)],
    ],
)
def test_the_suite_finds_a_catalogue_that_changes_or_repeats_a_name(catalogues: list[tuple[Measure, ...]]) -> None:
    class Suite(InspectorContract):
        def make_inspector(self) -> Inspector:
            return Liar(measures=catalogues.pop(0))

    with pytest.raises(AssertionError, match="expected: "):
        Suite().test_its_catalogue_stays_and_names_each_measure_once()


def test_the_suite_accepts_an_inspector_that_keeps_its_word() -> None:
    """What the liars above start from is right: a finding under UNCOVERED needs no examined criterion."""

    class Suite(InspectorContract):
        def make_inspector(self) -> Inspector:
            return Liar(measures=(SOFT,), criterion_id=UNCOVERED, examined=frozenset())

    Suite().test_what_it_says_fits_the_guideline()
    Suite().test_its_catalogue_stays_and_names_each_measure_once()
