"""The inspector that asks a vision-language model by the guideline: pictures, words, reply, second look, score.

Knows a `Chat` and no endpoint: `openai` and `transformers` are this inspector over two chats.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Guideline, Verdict
from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Brief, Dropped, Finding, Inspection, Usage
from review_copilot.errors import ModelMalformed
from review_copilot.inspectors.blank_image import nothing_to_see
from review_copilot.inspectors.chat import Answer, Chat, PicturesRefused, Question, book
from review_copilot.inspectors.empty_frame import empty_frame
from review_copilot.inspectors.picture_limits import PictureLimits
from review_copilot.inspectors.pricing import Estimate, Price, SeenUsage
from review_copilot.inspectors.profiles import Profile
from review_copilot.inspectors.prompt import PromptTemplates, system_prompt, user_prompt
from review_copilot.inspectors.reply import Reply, ReplyFinding, ReplyForm, ReplyProblem
from review_copilot.inspectors.reply_reader import read_reply, reply_faults
from review_copilot.inspectors.scoring import first_score
from review_copilot.inspectors.second_looks import Looked, SecondLooks
from review_copilot.inspectors.tokens import text_tokens
from review_copilot.inspectors.views import (
    CLOSE_UP_PX,
    WORTH_CLOSE_UPS,
    View,
    close_ups,
    difference_views,
    part_view,
    whole_view,
)

_LOGIC = "2"
"""Raised when this code changes what the same model and prompt would suggest."""
_PART_MARGIN = 0.5
_LEAST_PART_PX = 224
_MOST_DIFFERENCES = 3
_MOST_PICTURE_TRIES = 8
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
        self._limits = PictureLimits()

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
            InspectorError: No answer was received.
            ImageError: The image cannot be decoded.
        """
        return self.inspect_with(brief, measured=None)

    def inspect_with(
        self,
        brief: Brief,
        *,
        measured: Sequence[Finding] | None,
        image_wide: frozenset[str] = frozenset(),
        withheld: frozenset[str] = frozenset(),
    ) -> Inspection:
        """Look at one image with measurements beside it.

        Args:
            brief: What to look at.
            measured: Findings of a measuring inspector, shown to the model as evidence; None where none are shown.
            image_wide: Ids of the criteria that speak of the whole image.
            withheld: Ids of the criteria that it is not asked about, because they are measured.

        Raises:
            InspectorError: No answer was received.
            ImageError: The image cannot be decoded.
        """
        deadline = time.monotonic() + (brief.deadline_s or self._options.timeout_s)
        form = self._form(brief.guideline, measured=measured is not None, image_wide=image_wide, withheld=withheld)
        views = self._views(brief, form)
        frame = views[0].pixels if brief.box is None else brief.image.pixels  # decoded already
        if (facts := nothing_to_see(frame)) is not None:
            return empty_frame(brief.guideline, facts)
        answer, sent = self._asked(brief, form, views, measured=measured or (), deadline=deadline)
        try:
            reply = read_reply(answer.text, form=form, views=sent)
        except ReplyProblem as problem:
            malformed = ModelMalformed(f"The model did not answer in the asked form: {problem}.")
            raise book(malformed, answer) from problem
        findings, outside = self._findings(reply, brief)
        looked = self._second_looks(findings, brief, deadline=deadline)
        unseen = _unseen(brief, sent)
        whole = brief.box is None and not looked.dropped
        complete = reply.complete and not unseen
        return Inspection(
            findings=looked.findings,
            verdict=_verdict(reply, complete=complete) if whole else None,
            summary=_summary(reply, complete=complete) if whole else "",
            notes=(*answer.notes, *reply.notes, *looked.notes, *unseen, *self._box_warning(findings)),
            dropped=(*reply.dropped, *outside, *looked.dropped),
            usage=answer.usage.plus(looked.usage),
            prompt_hash=self._hash_of(form),
            examined=reply.examined,
            incomplete=not complete,
        )

    def question(
        self,
        brief: Brief,
        *,
        measured: Sequence[Finding] = (),
        deadline_s: float | None = None,
    ) -> tuple[Question, ReplyForm]:
        """What would be sent for a brief, and the form of the reply; sends nothing.

        Raises:
            ImageError: The image cannot be decoded, or is too long and thin for the model.
            PromptError: A template is wrong.
        """
        form = self._form(brief.guideline, measured=bool(measured))
        views = self._views(brief, form)
        return self._question(brief, form, views, measured=measured, deadline_s=deadline_s), form

    def _question(
        self,
        brief: Brief,
        form: ReplyForm,
        views: tuple[View, ...],
        *,
        measured: Sequence[Finding],
        deadline_s: float | None,
    ) -> Question:
        return Question(
            system=system_prompt(self._templates, form),
            user=user_prompt(self._templates, brief=brief, views=views, evidence=measured),
            views=views,
            schema_name="review",
            schema=form.schema,
            max_tokens=self._options.max_tokens,
            deadline_s=deadline_s,
            check=lambda text: reply_faults(text, form=form, views=views),
        )

    def _asked(
        self,
        brief: Brief,
        form: ReplyForm,
        views: tuple[View, ...],
        *,
        measured: Sequence[Finding],
        deadline: float,
    ) -> tuple[Answer, tuple[View, ...]]:
        """The answer, and the pictures that it is about: fewer or smaller ones where the endpoint refuses more."""
        for _ in range(_MOST_PICTURE_TRIES):
            sent = self._limits.fitted(views)
            left_s = max(0.01, deadline - time.monotonic())
            question = self._question(brief, form, sent, measured=measured, deadline_s=left_s)
            try:
                return self._chat.ask(question), sent
            except PicturesRefused as refused:
                if not self._limits.learn(sent, refused.most):
                    raise
        raise ModelMalformed("The model's endpoint refuses every size and number of pictures.")

    def prompt_hash(self, guideline: Guideline) -> str:
        """Hash of the words that every task of a guideline shares, 12 hex digits."""
        return self._hash_of(self._form(guideline))

    def _hash_of(self, form: ReplyForm) -> str:
        words = system_prompt(self._templates, form) + json.dumps(form.schema) + self._templates.hash
        return hashlib.sha256(words.encode()).hexdigest()[:12]

    def estimate(self, sizes: Iterable[tuple[int, int]], *, guideline: Guideline, price: Price | None) -> Estimate:
        """What a run over images of the given (width, height) in pixels is likely to cost."""
        form = self._form(guideline)
        static = text_tokens(system_prompt(self._templates, form) + json.dumps(form.schema))
        seen = getattr(self._chat, "seen", None) or SeenUsage()
        images = pictures = 0
        for width_px, height_px in sizes:
            images += 1
            pictures += self._picture_tokens(width_px, height_px, form)
        looks = _TYPICAL_LOOKS * images if self._options.second_look else 0
        cacheable = static * max(0, images - 1) if static >= _CACHE_FROM_TOKENS else 0
        usage = Usage(
            prompt_tokens=static * images + pictures + looks * _LOOK_TOKENS,
            cached_tokens=cacheable,
            completion_tokens=seen.completion_tokens * (images + looks),
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

    def _form(
        self,
        guideline: Guideline,
        *,
        measured: bool = False,
        image_wide: frozenset[str] = frozenset(),
        withheld: frozenset[str] = frozenset(),
    ) -> ReplyForm:
        asked = replace(guideline, criteria=tuple(c for c in guideline.criteria if c.id not in withheld))
        detail = self._options.close_ups > 0 and any(criterion.detail for criterion in asked.criteria)
        return ReplyForm(
            asked,
            self._profile.convention,
            self._profile.box_key,
            close_ups=detail,
            measured=measured,
            image_wide=image_wide,
            known=guideline,
        )

    def _views(self, brief: Brief, form: ReplyForm) -> tuple[View, ...]:
        """The pictures: the image, its reference where there is one, then parts of both or close-ups."""
        grid, reference = self._profile.grid, brief.reference
        if brief.box is not None:
            part = brief.box.clipped() or Box.whole()
            shown = [part_view(brief.image, part, grid=grid, margin=_PART_MARGIN, least_px=_LEAST_PART_PX)]
            if reference is not None:
                shown.append(replace(part_view(reference, shown[0].box, grid=grid), reference=True))
            return tuple(shown)
        whole = whole_view(brief.image, grid)
        scale = whole.width_px / brief.image.width_px
        if reference is not None:
            most = min(_MOST_DIFFERENCES, self._options.close_ups)
            apart = difference_views(brief.image, reference, grid=grid, sent_scale=scale, most=most)
            return (whole, replace(whole_view(reference, grid), reference=True), *apart)
        if not form.close_ups:
            return (whole,)
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

    def _box_warning(self, findings: Sequence[Finding]) -> tuple[str, ...]:
        """A note on the boxes of a model family whose box format is unknown."""
        if self._profile.known or not any(finding.box is not None for finding in findings):
            return ()
        name = self._chat.model
        return (f"It is not known how {name} writes boxes: run `review-copilot probe` before you rely on them.",)

    def _second_looks(self, findings: tuple[Finding, ...], brief: Brief, *, deadline: float) -> Looked:
        if not self._options.second_look or not any(finding.box for finding in findings):
            return Looked(findings)
        looks = SecondLooks(self._chat, self._templates, self._profile.grid)
        return looks.taken(findings, brief, deadline=deadline)


def _verdict(reply: Reply, *, complete: bool) -> Verdict | None:
    """The model's verdict; in an incomplete draft only a "fail" counts, and the guideline's rule decides the rest."""
    return reply.verdict if complete or reply.verdict is Verdict.FAIL else None


def _summary(reply: Reply, *, complete: bool) -> str:
    if complete:
        return reply.summary
    lost = f"{reply.unreadable} findings could not be read" if reply.unreadable > 1 else "a finding could not be read"
    why = lost if reply.unreadable else "the model did not examine everything that it was asked about"
    return f"Incomplete draft: {why}; see its notes. {reply.summary}".strip()


def _unseen(brief: Brief, sent: Sequence[View]) -> tuple[str, ...]:
    """What a reviewer must know of pictures that the model was not shown."""
    if brief.reference is not None and not any(view.reference for view in sent):
        return ("The reference image was not shown to the model: its endpoint takes one picture at a time.",)
    return ()


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
