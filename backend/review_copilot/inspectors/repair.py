"""One repair turn for an answer that cannot be read as it is. Knows no endpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from review_copilot.errors import InspectorError, ModelMalformed
from review_copilot.inspectors.chat import Answer, Faults, Question, book
from review_copilot.inspectors.reply import object_faults

Ask = Callable[[Question], Answer]


def ask_with_repair(ask: Ask, question: Question) -> Answer:
    """Ask; when something in the answer cannot be read, show the model what, once.

    The repaired answer is used only if nothing is lost: a model that leaves a broken finding out has not repaired it.

    Raises:
        ModelMalformed: Nothing in the answer can be used, even after the repair turn.
        InspectorError: As `ask` says.
    """
    first = ask(question)
    faults = faults_of(first.text, question)
    if not faults.words:
        return first
    try:
        second = ask(question.repair(first.text, faults))
    except InspectorError as error:
        book(error, first)
        if faults.useless:
            raise
        note = f"Asking the model to repair its answer failed: {error.public}"
        return replace(first, notes=(*first.notes, note), unmetered=first.unmetered + error.unmetered)
    later = faults_of(second.text, question)
    both = first.usage.plus(second.usage)
    unmetered = first.unmetered + second.unmetered
    if not later.useless and later.parts >= faults.parts and (faults.useless or len(later.words) <= len(faults.words)):
        note = "The model's first answer could not be read in full; one repair turn fixed it."
        if later.words:
            note = "The model's answer could not be read in full, even after one repair turn."
        return Answer(second.text, both, (*second.notes, note), unmetered)
    if faults.useless:
        malformed = ModelMalformed(
            f"The model did not answer in the asked form, even after one repair turn: {_said(faults, later)}",
            hint="Try a larger model; `review-copilot probe` shows what the endpoint can do.",
        )
        raise book(malformed, Answer("", both, unmetered=unmetered))
    note = "The model's answer could not be read in full, and one repair turn did not help."
    return Answer(first.text, both, (*first.notes, note), unmetered)


def faults_of(text: str, question: Question) -> Faults:
    """What is wrong with an answer's text."""
    if not text.strip():
        return Faults(("the answer was empty: there is no text in it",), useless=True)
    return question.check(text) if question.check is not None else object_faults(text, question.schema)


def _said(first: Faults, later: Faults) -> str:
    words = "; ".join(later.words or first.words) or "fewer findings than before"
    return words[:300] + ("…" if len(words) > 300 else ".")
