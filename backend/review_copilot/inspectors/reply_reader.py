"""What becomes of the reply that a model really wrote. Knows no endpoint.

Two stages: whatever form it has is brought into the fields of a finding, and what was fixed is counted; then each field
is checked as strictly as if it had come by the schema. A finding that cannot be read is a fault to repair. Where the
model does not, it is kept as a note: it is never dropped, and a box that cannot be read never becomes the whole image.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Verdict
from review_copilot.domain.suggestion import Dropped
from review_copilot.inspectors.box_reader import BoxReader
from review_copilot.inspectors.chat import Faults
from review_copilot.inspectors.reading.criteria import read_criterion
from review_copilot.inspectors.reading.fields import (
    Unreadable,
    alone,
    by_plain_name,
    field_of,
    is_null,
    is_of_one,
    plain_name,
    printable,
    read_confidence,
    read_severity,
    read_verdict,
)
from review_copilot.inspectors.reading.shapes import NoReview, as_text, written_review
from review_copilot.inspectors.reply import (
    DESCRIPTION_WORDS,
    LETTERS_PER_WORD,
    SUMMARY_WORDS,
    Reply,
    ReplyFinding,
    ReplyForm,
    ReplyProblem,
)
from review_copilot.inspectors.views import View

_SAME_PLACE_IOU = 0.9
_NOTE_LETTERS = 240
_MOST_FAULTS = 8
_ANSWERS = ("result", "status", "answer", "flaw", "value", "found", "present", "verdict", "finding")
_NOT_LOOKED = ("cannot tell", "cannottell", "unclear", "unknown", "not examined", "not checked", "n/a", "na", "skipped")


class NothingReadable(ReplyProblem):
    """All findings of a reply were unusable.

    Attributes:
        parts: How many there were.
    """

    def __init__(self, words: str, *, parts: int) -> None:
        super().__init__(words)
        self.parts = parts


def read_reply(text: str, *, form: ReplyForm, views: Sequence[View]) -> Reply:
    """Read a reply.

    Args:
        text: What the model wrote.
        form: What was asked for.
        views: The pictures that were sent, in their order.

    Raises:
        ReplyProblem: There is no review in it, or none of its findings can be read.
    """
    try:
        written = written_review(text)
    except NoReview as error:
        raise ReplyProblem(str(error)) from error
    reader = _Reader(form=form, views=views)
    reader.repaired.update(written.repaired)
    read = [found for item in written.findings if (found := reader.finding(item)) is not None]
    if written.findings and not read:
        raise NothingReadable("; ".join(reader.faults[:_MOST_FAULTS]), parts=len(written.findings))
    findings = reader.distinct(read)
    examined, answered = reader.coverage(written.coverage, findings)
    verdict = reader.verdict(written.verdict)
    summary = reader.words(written.summary, most=SUMMARY_WORDS, what="the summary")
    notes = reader.all_notes()
    return Reply(
        findings=findings,
        verdict=verdict,
        summary=summary,
        dropped=tuple(reader.dropped),
        notes=notes,
        faults=tuple(reader.faults[:_MOST_FAULTS]),
        unreadable=reader.unreadable,
        examined=examined,
        answered=answered,
        doubled=len(read) - len(findings),
    )


def reply_faults(text: str, *, form: ReplyForm, views: Sequence[View]) -> Faults:
    """What is wrong with a reply, for a repair turn."""
    try:
        reply = read_reply(text, form=form, views=views)
    except NothingReadable as problem:
        return Faults(words=(str(problem),), parts=problem.parts, useless=True)
    except ReplyProblem as problem:
        return Faults(words=(str(problem),), useless=True)
    return Faults(words=reply.faults, parts=len(reply.findings) + reply.doubled + reply.unreadable)


class _Reader:
    """Reads the findings of one reply and counts what it repairs and cannot read."""

    def __init__(self, *, form: ReplyForm, views: Sequence[View]) -> None:
        self._form = form
        self._boxes = BoxReader(convention=form.convention, box_key=form.box_key, views=views)
        self._of_one = False
        self.dropped: list[Dropped] = []
        self.notes: list[str] = []
        self.faults: list[str] = []
        self.repaired: Counter[str] = Counter()
        self.unreadable = 0

    def finding(self, item: Any) -> ReplyFinding | None:
        """One finding; None when it cannot be read, which is then a fault and a note."""
        try:
            return self._finding(item)
        except Unreadable as reason:
            self.unreadable += 1
            said = printable(as_text(item))
            shown = said[:_NOTE_LETTERS] + ("…" if len(said) > _NOTE_LETTERS else "")
            self.faults.append(f"finding {shown[:80]}: {reason}")
            self.notes.append(f"A finding could not be read, because {reason}. The model wrote: {shown}")
            return None

    def _finding(self, item: Any) -> ReplyFinding:
        if not isinstance(item, Mapping):
            raise Unreadable("it is no JSON object")
        named = by_plain_name(item)
        criterion_id = self._criterion(item, named)
        severity = self._severity(item, named)
        box = self._boxes.box(item, named, criterion_id)
        description = ""
        if criterion_id == UNCOVERED:
            said = field_of(named, "description")[1]
            description = self.words(None if is_null(said) else said, most=DESCRIPTION_WORDS, what="a description")
        rationale = self._rationale(item, named) or description
        return ReplyFinding(
            criterion_id=criterion_id,
            severity=severity,
            box=box,
            rationale=rationale or f"{self._form.whole_guideline.label_of(criterion_id)}; the model gave no reason.",
            confidence=self._confidence(named),
            description=description,
        )

    def _criterion(self, item: Mapping[str, Any], named: Mapping[str, Any]) -> str:
        there, value = field_of(named, "criterion")
        if not there:
            raise Unreadable("it names no criterion")
        criterion_id = read_criterion(value, self._form.whole_guideline)
        self._count_repair("the name of a criterion", repaired=item.get("criterion") != criterion_id)
        return criterion_id

    def _severity(self, item: Mapping[str, Any], named: Mapping[str, Any]) -> Any:
        there, value = field_of(named, "severity")
        if not there:
            raise Unreadable("it has no severity")
        severity = read_severity(value)
        self._count_repair("a severity", repaired=item.get("severity") != severity.value)
        return severity

    def _rationale(self, item: Mapping[str, Any], named: Mapping[str, Any]) -> str:
        value = field_of(named, "rationale")[1]
        if not isinstance(value, str):
            value = named.get("description")
        self._count_repair("the name of a rationale", repaired="rationale" not in item)
        return self.words(value, most=self._form.guideline.rationale.max_words, what="a rationale")

    def _confidence(self, named: Mapping[str, Any]) -> float:
        value = field_of(named, "confidence")[1]
        self._of_one = self._of_one or is_of_one(value)
        read = read_confidence(value, of_one=self._of_one)
        if read is None:
            self.notes.append("A finding came without a confidence; one half was taken.")
            return 0.5
        share, moved = read
        if moved:
            self.notes.append(f"A confidence of {printable(str(value))[:20]} was brought within 0 to 100.")
        plain = isinstance(value, int) and not isinstance(value, bool)
        self._count_repair("a confidence", repaired=not plain and not moved)
        return share

    def distinct(self, findings: Sequence[ReplyFinding]) -> tuple[ReplyFinding, ...]:
        """The findings without those that say again what a surer one says, in their order."""
        kept: list[ReplyFinding] = []
        for finding in sorted(findings, key=lambda f: -f.confidence):
            if any(_same(finding, other) for other in kept):
                again = Dropped(f"A finding of {finding.criterion_id}", "another one says the same of the same place")
                self.dropped.append(again)
            else:
                kept.append(finding)
        return tuple(finding for finding in findings if any(finding is other for other in kept))

    def coverage(self, written: Any, findings: Sequence[ReplyFinding]) -> tuple[frozenset[str], bool]:
        """Ids of the criteria that were looked at, and whether that can be said of all."""
        asked = [criterion.id for criterion in self._form.guideline.criteria]
        found = frozenset(finding.criterion_id for finding in findings)
        said = self._said(written)
        examined = found | {criterion_id for criterion_id, looked in said.items() if looked != "not looked"}
        if not said:
            if not found:
                self.faults.append('"criteria" must state for each criterion whether there is a flaw')
            self.notes.append("The model did not list the criteria that it examined.")
            return examined - {UNCOVERED}, bool(found)
        if unseen := [criterion_id for criterion_id in asked if criterion_id not in examined]:
            self.notes.append(f"The model did not examine {', '.join(unseen)}.")
        lost = [one for one, looked in said.items() if looked == "flaw" and one not in found]
        if lost and not self.unreadable:
            self.faults.append(f"{', '.join(lost)}: marked as flawed in criteria, and no finding says where")
            self.notes.append(f"The model marks {', '.join(lost)} as flawed and reports no finding of it.")
        examined -= frozenset(lost)
        return examined - {UNCOVERED}, set(asked) <= examined

    def _said(self, written: Any) -> dict[str, str]:
        """The answer for each criterion: flaw, none, or not examined."""
        pairs: list[tuple[Any, Any]] = []
        if isinstance(written, Mapping):
            pairs = list(written.items())
        elif isinstance(written, list):
            for item in written:
                if isinstance(item, Mapping):
                    named = by_plain_name(item)
                    rest = next((named[name] for name in _ANSWERS if name in named), None)
                    pairs.append((field_of(named, "criterion")[1], rest))
        said: dict[str, str] = {}
        for name, value in pairs:
            try:
                criterion_id = read_criterion(name, self._form.whole_guideline)
            except Unreadable:
                continue
            said[criterion_id] = _looked(value)
        return said

    def verdict(self, value: Any) -> Verdict | None:
        verdict = read_verdict(value)
        if verdict is None:
            self.notes.append("The model gave no verdict of the guideline; the guideline's rule decides.")
            return None
        self._count_repair("the verdict", repaired=value != verdict.value)
        return verdict

    def words(self, value: object, *, most: int, what: str) -> str:
        """One line of printable text, cut after `most` words."""
        if not isinstance(value, str):
            return ""
        words = printable(value).split()
        text = " ".join(words[:most])[: most * LETTERS_PER_WORD]
        if len(words) > most:
            self.dropped.append(Dropped(f"The end of {what}", f"it was longer than {most} words"))
            return text.rstrip(" .,;:") + " …"
        return text

    def all_notes(self) -> tuple[str, ...]:
        """The repairs with their counts, after all other notes."""
        repaired = self.repaired + self._boxes.repaired
        notes = [*self.notes, *self._boxes.notes]
        self.dropped += self._boxes.dropped
        if warning := self._boxes.warning():
            notes.append(warning)
        if repaired:
            counted = ", ".join(f"{what} ({count})" for what, count in sorted(repaired.items()))
            notes.append(f"Fixed while reading the reply: {counted}.")
        return tuple(notes)

    def _count_repair(self, what: str, *, repaired: bool) -> None:
        if repaired:
            self.repaired[what] += 1


def _looked(value: Any) -> str:
    """flaw, none or not looked."""
    value = alone(value)
    if isinstance(value, int | float | str) and value in {0, 1, "0", "1"}:
        return "flaw" if int(value) else "none"
    text = "" if value is None or isinstance(value, Mapping | list) else str(value).strip().lower()
    if not text or any(text.startswith(word) for word in _NOT_LOOKED):
        return "not looked"
    plain = plain_name(text)
    clean = plain.startswith(("none", "no", "clean", "pass", "ok", "absent", "false"))
    return "none" if clean else "flaw"


def _same(one: ReplyFinding, other: ReplyFinding) -> bool:
    if one.criterion_id != other.criterion_id:
        return False
    return (one.box or Box.whole()).iou(other.box or Box.whole()) > _SAME_PLACE_IOU
