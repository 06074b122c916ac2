"""The inspector that asks a vision-language model by the guideline: pictures, words, reply, second look, score.

Knows a `Chat` and no endpoint: `openai` and `transformers` are this inspector over two chats.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass, field, replace

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Brief, Dropped, Evidence, Finding, Inspection, Usage
from review_copilot.errors import BudgetSpent, InspectorError, ModelMalformed
from review_copilot.inspectors.blank_image import nothing_to_see
from review_copilot.inspectors.chat import Chat, Question
from review_copilot.inspectors.pricing import Estimate, Price
from review_copilot.inspectors.profiles import Profile
from review_copilot.inspectors.prompt import PromptTemplates, system_prompt, user_prompt
from review_copilot.inspectors.reply import Reply, ReplyFinding, ReplyForm, ReplyProblem
from review_copilot.inspectors.scoring import after_second_look, first_score
from review_copilot.inspectors.second_look import Look, look_again
from review_copilot.inspectors.tokens import text_tokens
from review_copilot.inspectors.views import CLOSE_UP_PX, WORTH_CLOSE_UPS, View, close_ups, part_view, whole_view

_LOGIC = "1"
"""Raised when this code changes what the same model and prompt would suggest."""
_PART_MARGIN = 0.5
_LEAST_PART_PX = 224
_LOOKS_AT_ONCE = 4
_CERTAIN_NO = 0.5
_TYPICAL_ANSWER_TOKENS = 250
_TYPICAL_LOOKS = 2
_LOOK_TOKENS = 450
_CACHE_FROM_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a model inspector works.

    Attributes:
        second_look: Whether each box is cropped and asked about again.
        close_ups: Most parts at full size beside the whole image, where the guideline asks for detail.
        max_tokens: Length limit of a reply.
        timeout_s: Seconds for one image where the brief names no deadline.
    """

    second_look: bool = False
    close_ups: int = 6
    max_tokens: int = 2048
    timeout_s: float = 120.0


class ModelInspector:
    """A vision-language model that works by the guideline."""

    def __init__(
        self,
        *,
        name: str,
        chat: Chat,
        profile: Profile,
        templates: PromptTemplates,
        options: ModelOptions | None = None,
    ) -> None:
        """Make an inspector; asks nothing.

        Args:
            name: What the registry calls it, such as "openai".
            chat: The model.
            profile: What is known of its family.
            templates: The words.
            options: How it works.
        """
        self._name = name
        self._chat = chat
        self._profile = profile
        self._templates = templates
        self._options = options or ModelOptions()

    @property
    def name(self) -> str:
        """What the registry calls it."""
        return self._name

    @property
    def version(self) -> str:
        """Hash of model, parameters, family, words and options; 12 hex digits."""
        decides = [
            _LOGIC,
            self._name,
            self._chat.model,
            dict(self._chat.parameters),
            asdict(self._profile),
            self._templates.hash,
            asdict(self._options),
        ]
        return hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()[:12]

    def catalogue(self) -> tuple[Measure, ...]:
        """Nothing: a model reads criteria as text and measures none."""
        return ()

    def inspect(self, brief: Brief) -> Inspection:
        """Look at one image.

        Raises:
            InspectorError: No answer could be had.
            ImageError: The image cannot be decoded.
        """
        return self.inspect_with(brief, measured=())

    def inspect_with(self, brief: Brief, *, measured: Sequence[Finding]) -> Inspection:
        """Look at one image with measurements beside it.

        Args:
            brief: What to look at.
            measured: Findings of a measuring inspector, shown to the model as evidence.

        Raises:
            InspectorError: No answer could be had.
            ImageError: The image cannot be decoded.
        """
        deadline = time.monotonic() + (brief.deadline_s or self._options.timeout_s)
        question, form = self.question(brief, measured=measured, deadline_s=deadline - time.monotonic())
        frame = question.views[0].pixels if brief.box is None else brief.image.pixels  # decoded already
        if (facts := nothing_to_see(frame)) is not None:
            return _empty_frame(brief.guideline, facts)
        answer = self._chat.ask(question)
        try:
            reply = form.read(answer.text, views=question.views)
        except ReplyProblem as problem:
            raise ModelMalformed(f"The model did not answer in the asked form: {problem}.") from problem
        findings, outside = self._findings(reply, brief)
        looked = self._second_looks(findings, brief, deadline=deadline)
        unseen = ("The reference image was not shown to the model.",) if brief.reference is not None else ()
        return Inspection(
            findings=looked.findings,
            verdict=reply.verdict if brief.box is None and not looked.dropped else None,
            summary=reply.summary if brief.box is None and not looked.dropped else "",
            notes=(*answer.notes, *reply.notes, *looked.notes, *unseen),
            dropped=(*reply.dropped, *outside, *looked.dropped),
            usage=answer.usage.plus(looked.usage),
            prompt_hash=self.prompt_hash(brief.guideline),
            examined=frozenset(criterion.id for criterion in brief.guideline.criteria),
        )

    def question(
        self, brief: Brief, *, measured: Sequence[Finding] = (), deadline_s: float | None = None
    ) -> tuple[Question, ReplyForm]:
        """What would be sent for a brief, and the form of the reply; sends nothing.

        Raises:
            ImageError: The image cannot be decoded, or is too long and thin for the model.
            PromptError: A template is wrong.
        """
        form = self._form(brief.guideline)
        views = self._views(brief, form)
        question = Question(
            system=system_prompt(self._templates, form),
            user=user_prompt(self._templates, brief=brief, views=views, evidence=measured),
            views=views,
            schema_name="review",
            schema=form.schema,
            max_tokens=self._options.max_tokens,
            deadline_s=deadline_s,
        )
        return question, form

    def prompt_hash(self, guideline: Guideline) -> str:
        """Hash of the words that every task of a guideline shares, 12 hex digits."""
        words = system_prompt(self._templates, self._form(guideline)) + self._templates.hash
        return hashlib.sha256(words.encode()).hexdigest()[:12]

    def estimate(self, sizes: Iterable[tuple[int, int]], *, guideline: Guideline, price: Price | None) -> Estimate:
        """What a run over images of the given (width, height) in pixels is likely to cost."""
        form = self._form(guideline)
        static = text_tokens(system_prompt(self._templates, form))
        images = pictures = 0
        for width_px, height_px in sizes:
            images += 1
            pictures += self._picture_tokens(width_px, height_px, form)
        looks = _TYPICAL_LOOKS * images if self._options.second_look else 0
        cacheable = static * max(0, images - 1) if static >= _CACHE_FROM_TOKENS else 0
        usage = Usage(
            prompt_tokens=static * images + pictures + looks * _LOOK_TOKENS,
            cached_tokens=cacheable,
            completion_tokens=_TYPICAL_ANSWER_TOKENS * (images + looks),
        )
        return Estimate(
            images=images,
            calls=images + looks,
            prompt_tokens=usage.prompt_tokens,
            image_tokens=pictures,
            cacheable_tokens=cacheable,
            completion_tokens=usage.completion_tokens,
            cost_usd=price.cost_usd(usage) if price else None,
            price_read=price.read if price else "",
        )

    def _form(self, guideline: Guideline) -> ReplyForm:
        detail = self._options.close_ups > 0 and any(criterion.detail for criterion in guideline.criteria)
        return ReplyForm(guideline, self._profile.convention, self._profile.box_key, close_ups=detail)

    def _views(self, brief: Brief, form: ReplyForm) -> tuple[View, ...]:
        grid = self._profile.grid
        if brief.box is not None:
            part = brief.box.clipped() or Box.whole()
            return (part_view(brief.image, part, grid=grid, margin=_PART_MARGIN, least_px=_LEAST_PART_PX),)
        whole = whole_view(brief.image, grid)
        if not form.close_ups:
            return (whole,)
        scale = whole.width_px / brief.image.width_px
        return (whole, *close_ups(brief.image, grid=grid, sent_scale=scale, most=self._options.close_ups))

    def _picture_tokens(self, width_px: int, height_px: int, form: ReplyForm) -> int:
        sent_width_px, sent_height_px = self._profile.grid.size(width_px, height_px)
        tokens = self._profile.tokens.image_tokens(sent_width_px, sent_height_px)
        if form.close_ups and sent_width_px < WORTH_CLOSE_UPS * width_px:
            tokens += self._options.close_ups * self._profile.tokens.image_tokens(CLOSE_UP_PX, CLOSE_UP_PX)
        return tokens

    def _findings(self, reply: Reply, brief: Brief) -> tuple[tuple[Finding, ...], tuple[Dropped, ...]]:
        findings, outside = [], []
        for said in reply.findings:
            if brief.box is not None and said.box is not None and said.box.intersection_area(brief.box) <= 0:
                outside.append(Dropped(f"A finding of {said.criterion_id}", "it lies outside the place asked about"))
                continue
            findings.append(self._finding(said, brief))
        return tuple(findings), tuple(outside)

    def _finding(self, said: ReplyFinding, brief: Brief) -> Finding:
        evidence: dict[str, float | int | str | bool] = {"model_confidence": round(said.confidence, 2)}
        if said.description:
            evidence["description"] = said.description
        return Finding(
            criterion_id=said.criterion_id,
            severity=said.severity,
            score=first_score(confidence=said.confidence, trust=self._profile.trust),
            box=said.box or brief.box,
            rationale=said.rationale,
            evidence=evidence,
            source=self._chat.model,
        )

    def _second_looks(self, findings: tuple[Finding, ...], brief: Brief, *, deadline: float) -> _Looked:
        if not self._options.second_look or not any(finding.box for finding in findings):
            return _Looked(findings)
        contexts = [copy_context() for _ in findings]  # they know whose request this is, and whether somebody waits
        with ThreadPoolExecutor(max_workers=_LOOKS_AT_ONCE) as pool:
            looks = list(pool.map(lambda c, f: c.run(self._look, f, brief, deadline=deadline), contexts, findings))
        looked = _Looked(())
        for finding, look in zip(findings, looks, strict=True):
            looked = looked.with_look(finding, look)
        return looked

    def _look(self, finding: Finding, brief: Brief, *, deadline: float) -> Look | InspectorError | None:
        """The second look; the error when there was none, so that one failure costs no other finding."""
        if finding.box is None:
            return None
        try:
            return look_again(
                self._chat,
                finding,
                image=brief.image,
                guideline=brief.guideline,
                templates=self._templates,
                grid=self._profile.grid,
                deadline_s=max(0.01, deadline - time.monotonic()),
            )
        except BudgetSpent:
            raise
        except InspectorError as error:
            return error


@dataclass(frozen=True, slots=True)
class _Looked:
    """Findings after a second look."""

    findings: tuple[Finding, ...]
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)

    def with_look(self, finding: Finding, look: Look | InspectorError | None) -> _Looked:
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


def _empty_frame(guideline: Guideline, facts: Evidence) -> Inspection:
    """What is said of a frame that shows nothing: no model is paid for it."""
    speaks_for = (c.id for c in guideline.criteria if "empty_frame" in c.measures)
    finding = Finding(
        criterion_id=next(speaks_for, UNCOVERED),
        severity=Severity.CRITICAL,
        score=0.99,
        box=None,
        rationale=(
            f"The whole frame is one flat tone (mean level {facts['mean_level_percent']} %, spread "
            f"{facts['spread_levels']} of 255 levels): nothing can be seen."
        ),
        evidence=facts,
        source="measured",
    )
    return Inspection(
        findings=(finding,),
        verdict=Verdict.FAIL,
        summary="The frame shows nothing.",
        notes=("No model was asked: the frame shows nothing.",),
        examined=frozenset(criterion.id for criterion in guideline.criteria),
    )


def show(question: Question) -> str:
    """What would be sent, as text to read: the words, and the pictures by their size."""
    pictures = "\n".join(
        f"[picture {number}: {view.width_px} x {view.height_px} px, {len(view.jpeg)} bytes of JPEG]"
        for number, view in enumerate(question.views, start=1)
    )
    return (
        f"# system ({text_tokens(question.system)} tokens, the same for every task)\n\n{question.system}\n\n"
        f"# user ({text_tokens(question.user)} tokens)\n\n{question.user}\n\n{pictures}\n\n"
        f"# reply schema\n\n{json.dumps(question.schema, indent=2)}\n"
    )
