"""Convert a review to predictions that Label Studio shows. Knows no reviewer and no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from review_copilot.domain.geometry import Box
from review_copilot.domain.review import Review
from review_copilot.domain.suggestion import LIKE, UNLIKE, Dropped, Scope, Suggestion
from review_copilot.labelstudio.mapping import LabelMap

_DIGITS = 4
"""Decimals of a percentage: a hundredth of a pixel at 10 000 px."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """One review in Label Studio's format.

    Attributes:
        payload: `{"result", "score", "model_version"}`, as `/predict` responses and the prediction import expect it.
        dropped: Parts of the review that the label config cannot hold, with counts.
    """

    payload: dict[str, object]
    dropped: tuple[Dropped, ...]


@dataclass(slots=True)
class _Sheet:
    """Collects the results of one review, and what was dropped."""

    review: Review
    labels: LabelMap
    results: list[dict[str, object]] = field(default_factory=list)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)

    def dropped(self) -> tuple[Dropped, ...]:
        return tuple(Dropped(f"{what} ({count})", reason) for (what, reason), count in self.left_out.items())


def to_prediction(review: Review, labels: LabelMap) -> Drafted:
    """Convert the whole review: regions, verdict, and summary, under its roll-out.

    A label config without a label for any criterion gets nothing: a verdict alone would hide the suggestions.

    Small boxes come first and image-wide ones last: the editor of 1.23 draws in reverse order (ImageView sorts with a
    comparator that reverses), so that a click finds the smallest box under it.
    The score is the mean of the suggestions' scores, for sorting in the Data Manager; None without suggestions.
    """
    sheet = _Sheet(review, labels)
    _add_regions(sheet)
    if labels.holds_suggestions:
        _add_image_fields(sheet)
    else:
        sheet.left_out["the verdict and the summary", "The label config has no label for any criterion."] += 1
    return Drafted(_payload(sheet), sheet.dropped())


def to_interactive(review: Review, labels: LabelMap) -> Drafted:
    """Convert only the regions, for the Magic tool; `{"result": []}` if there are none."""
    sheet = _Sheet(review, labels)
    _add_regions(sheet)
    return Drafted(_payload(sheet) if sheet.results else {"result": []}, sheet.dropped())


def _payload(sheet: _Sheet) -> dict[str, object]:
    scores = [suggestion.score for suggestion in sheet.review.suggestions]
    return {
        "result": sheet.results,
        "score": round(sum(scores) / len(scores), 4) if scores else None,
        "model_version": sheet.review.provenance.rollout,
    }


def _add_regions(sheet: _Sheet) -> None:
    for suggestion in _from_severe_to_minor(sheet.review.suggestions):
        box = suggestion.box.clipped()
        if suggestion.criterion_id not in sheet.labels.label_texts:
            label = f'the suggestion "{suggestion.label}"'
            sheet.left_out[label, "The label config has no label for it."] += 1
        elif box is None:
            sheet.left_out[f'the suggestion "{suggestion.label}"', "Its box lies outside the image."] += 1
        else:
            sheet.results.extend(_region(sheet, suggestion, box))


def _from_severe_to_minor(suggestions: Sequence[Suggestion]) -> Iterator[Suggestion]:
    """The most severe first, image-wide ones last; but no box comes before a smaller one that it covers.

    A click finds the first box under it, so that a covered box could not be selected on the image.
    """
    ordered = sorted(suggestions, key=lambda s: (s.scope is Scope.IMAGE, -s.severity.rank, s.box.area))
    placed: set[int] = set()
    for suggestion in ordered:
        covered = [other for other in ordered if _covers(suggestion, other)]
        for following in (*sorted(covered, key=lambda s: s.box.area), suggestion):
            if id(following) not in placed:
                placed.add(id(following))
                yield following


def _covers(one: Suggestion, other: Suggestion) -> bool:
    """Whether a larger box, or one of the whole image, hides another."""
    if one.scope is Scope.IMAGE or other.scope is Scope.IMAGE:
        return one.scope is Scope.IMAGE and other.scope is not Scope.IMAGE
    return one.box.area > other.box.area and one.box.intersection_area(other.box) > other.box.area / 2


def _region(sheet: _Sheet, suggestion: Suggestion, box: Box) -> Iterator[dict[str, object]]:
    """Box, severity, and rationale under one region id; each repeats the coordinates, as the editor requires."""
    labels, review = sheet.labels, sheet.review
    place = _percent(box)
    width_px, height_px = review.size_px(suggestion.page)
    common: dict[str, object] = {
        "id": suggestion.id,
        "to_name": labels.image,
        "original_width": width_px,
        "original_height": height_px,
        "image_rotation": 0,
    }
    if review.page_sizes_px or suggestion.page:
        common["item_index"] = suggestion.page
    marked = {"score": round(suggestion.score, _DIGITS), "meta": {"text": [_evidence(sheet, suggestion)]}}
    label = labels.label_texts[suggestion.criterion_id]
    if labels.rectangle == labels.labels:
        value = {**place, "rectanglelabels": [label]}
        yield {**common, **marked, "from_name": labels.rectangle, "type": "rectanglelabels", "value": value}
    else:
        yield {**common, **marked, "from_name": labels.rectangle, "type": "rectangle", "value": place}
        yield {**common, "from_name": labels.labels, "type": "labels", "value": {**place, "labels": [label]}}
    fields = labels.fields_of(suggestion.criterion_id)
    if fields.severity is None or suggestion.severity not in fields.severity.texts:
        sheet.left_out[f'the severity "{suggestion.severity}"', "The label config does not offer it."] += 1
    else:
        value = {**place, "choices": [fields.severity.texts[suggestion.severity]]}
        yield {**common, "from_name": fields.severity.name, "type": "choices", "value": value}
    if not fields.rationale:
        sheet.left_out["a rationale", "The label config has no per-region text area."] += 1
    else:
        value = {**place, "text": [suggestion.rationale]}
        yield {**common, "from_name": fields.rationale, "type": "textarea", "value": value}
    if labels.drafted:
        value = {**place, "text": [f"Drafted: {suggestion.label}, {suggestion.severity.value}"]}
        yield {**common, "from_name": labels.drafted, "type": "textarea", "value": value}


def _add_image_fields(sheet: _Sheet) -> None:
    review, labels = sheet.review, sheet.labels
    if labels.verdict is None or review.verdict not in labels.verdict.texts:
        sheet.left_out[f'the verdict "{review.verdict}"', "The label config does not offer it."] += 1
    else:
        value: dict[str, object] = {"choices": [labels.verdict.texts[review.verdict]]}
        sheet.results.append(_image_field(sheet, "verdict", name=labels.verdict.name, kind="choices", value=value))
    if not labels.summary:
        sheet.left_out["the summary", "The label config has no text area for it."] += 1
    elif review.summary:
        value = {"text": [review.summary]}
        summary = _image_field(sheet, "summary", name=labels.summary, kind="textarea", value=value)
        sheet.results.append({**summary, "meta": {"text": [review.left_out]}} if review.left_out else summary)


def _image_field(sheet: _Sheet, what: str, *, name: str, kind: str, value: dict[str, object]) -> dict[str, object]:
    return {
        "id": f"{sheet.review.id}-{what}",
        "from_name": name,
        "to_name": sheet.labels.image,
        "type": kind,
        "value": value,
    }


def _percent(box: Box) -> dict[str, float]:
    """Percent of the upright image, at most 100."""
    x, y = round(box.x * 100, _DIGITS), round(box.y * 100, _DIGITS)
    width = round(min(box.width * 100, 100 - x), _DIGITS)
    height = round(min(box.height * 100, 100 - y), _DIGITS)
    return {"x": x, "y": y, "width": width, "height": height, "rotation": 0}


def _evidence(sheet: _Sheet, suggestion: Suggestion) -> str:
    """Text of the region's Info panel: criterion and source, guideline and revision, then one fact per line.

    Facts about past reviews come first: the panel shows only a few lines until it is expanded.
    """
    origin, evidence = sheet.review.provenance, suggestion.evidence
    head = f"{suggestion.criterion_id}, {suggestion.source}\n{origin.guideline_id} {origin.guideline_revision}"
    reviewed = [str(evidence[name]) for name in (LIKE, UNLIKE) if name in evidence]
    facts = [f"{n.replace('_', ' ')}: {_shown(v)}" for n, v in evidence.items() if n not in {LIKE, UNLIKE}]
    return "\n".join([*reviewed, head, *facts])


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
