"""Look again at all boxes of an inspection, several at once, and weigh what was seen. Knows no endpoint."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace

from review_copilot.domain.suggestion import Brief, Dropped, Finding, Usage
from review_copilot.errors import InspectorError, NoFurtherCalls
from review_copilot.inspectors.chat import Chat
from review_copilot.inspectors.coordinates import Resize
from review_copilot.inspectors.prompt import PromptTemplates
from review_copilot.inspectors.scoring import after_second_look
from review_copilot.inspectors.second_look import Look, look_again

_LOOKS_AT_ONCE = 4
_CERTAIN_NO = 0.5


@dataclass(frozen=True, slots=True)
class Looked:
    """Findings after a second look."""

    findings: tuple[Finding, ...]
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)

    def with_look(self, finding: Finding, look: Look | InspectorError | None) -> Looked:
        """With one more finding, rated by its look; None where it has no box to look at."""
        if look is None:
            return replace(self, findings=(*self.findings, finding))
        if isinstance(look, InspectorError):
            note = f"{finding.criterion_id} got no second look: {look.public}"
            return replace(self, findings=(*self.findings, finding), notes=(*self.notes, note))
        usage = self.usage.plus(look.usage)
        if not look.visible and look.sure >= _CERTAIN_NO:
            gone = Dropped(f"A finding of {finding.criterion_id}", "a second look at its place did not see it")
            return replace(self, dropped=(*self.dropped, gone), usage=usage)
        rated = replace(
            finding,
            score=after_second_look(finding.score, visible=look.visible, sure=look.sure),
            evidence={**finding.evidence, "second_look": "seen" if look.visible else "not seen"},
        )
        return replace(self, findings=(*self.findings, rated), usage=usage)


@dataclass(frozen=True, slots=True)
class SecondLooks:
    """How second looks are taken.

    Attributes:
        chat: Whom to ask.
        templates: The words.
        grid: The sizes that the model takes.
    """

    chat: Chat
    templates: PromptTemplates
    grid: Resize

    def taken(self, findings: tuple[Finding, ...], brief: Brief, *, deadline: float) -> Looked:
        """The findings after a second look at each box.

        Raises:
            NoFurtherCalls: The budget is spent, or the endpoint fails whatever it is asked.
        """
        contexts = [copy_context() for _ in findings]  # they know whose request this is, and whether somebody waits
        with ThreadPoolExecutor(max_workers=_LOOKS_AT_ONCE) as pool:
            looks = list(pool.map(lambda c, f: c.run(self._look, f, brief, deadline=deadline), contexts, findings))
        looked = Looked(())
        for finding, look in zip(findings, looks, strict=True):
            looked = looked.with_look(finding, look)
        return looked

    def _look(self, finding: Finding, brief: Brief, *, deadline: float) -> Look | InspectorError | None:
        """The second look; the error when there was none, so that one failure costs no other finding."""
        if finding.box is None:
            return None
        try:
            return look_again(
                self.chat,
                finding,
                image=brief.image,
                guideline=brief.guideline,
                templates=self.templates,
                grid=self.grid,
                deadline_s=max(0.01, deadline - time.monotonic()),
            )
        except NoFurtherCalls:
            raise
        except InspectorError as error:
            return error
