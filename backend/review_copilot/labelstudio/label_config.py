"""Generate the labeling interface and the instructions of a guideline. Knows no project and no review.

The layout fits 1440 x 900 pixels in the label stream: labels above, the image on the left, the
verdict and the selected region's fields on the right, all visible at once. On 1280 x 720 pixels, the feedback on the
guideline is hidden while a region is selected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from xml.etree import ElementTree as ET

from review_copilot.domain.guideline import Criterion, Guideline, Severity, Verdict
from review_copilot.domain.override import Feedback, Reason
from review_copilot.errors import GuidelineError
from review_copilot.labelstudio import tag_names
from review_copilot.labelstudio.label_config_style import NOVEL_COLOR, PALETTE, STYLE

EDITOR_KEYS = frozenset("behkmopruvw[]") | {
    "shift+r",
    "shift+1",
    "shift+2",
    "alt+h",
    "alt+l",
    "alt+m",
    "alt+r",
    "enter",
    "escape",
    "backspace",
    "delete",
    "space",
}
"""Keys in Label Studio 1.23.2's own keymap (zoom, tools, regions); a label must not use them."""

_SEVERITY_KEYS: Mapping[Severity, str] = {Severity.MINOR: "z", Severity.MAJOR: "x", Severity.CRITICAL: "c"}
_VERDICT_KEYS: Mapping[Verdict, str] = {Verdict.PASS: "y", Verdict.FAIL: "n", Verdict.DISCUSS: "j"}
_REASON_KEYS: Mapping[Reason, str] = {
    Reason.AGREE: "g",
    Reason.NOT_A_DEFECT: "shift+n",
    Reason.WRONG_CRITERION: "shift+c",
    Reason.WRONG_PLACE: "shift+p",
    Reason.WRONG_SEVERITY: "shift+s",
    Reason.EXPLANATION_WRONG: "shift+e",
    Reason.GUIDELINE_UNCLEAR: "shift+g",
    Reason.NOT_COVERED: "shift+o",
}
_FEEDBACK_KEYS: Mapping[Feedback, str] = {
    Feedback.UNCLEAR: "shift+u",
    Feedback.NOT_COVERED: "shift+m",
    Feedback.CONFLICT: "shift+f",
}
_CHOICE_KEYS = frozenset(
    [*_SEVERITY_KEYS.values(), *_VERDICT_KEYS.values(), *_REASON_KEYS.values(), *_FEEDBACK_KEYS.values()]
)
_PLAIN_KEYS = "1234567890qtasdfi"
_LABEL_KEYS = (*(f"alt+{key}" for key in _PLAIN_KEYS), *(f"shift+{key}" for key in "adhijklqtvwxyz"))
"""Keys assigned to labels without a hotkey in the guideline. All have a modifier: a key relabels a selected region."""
_INERT_KEYS = tuple(f"{modifier}f{number}" for modifier in ("", "shift+", "alt+") for number in range(13, 20))
"""Keys that no keyboard has, for the labels that are left. Without one, the editor would assign a plain key."""

_HOW_TO_DRAW = (
    "Click a box or its entry under Regions. To draw a box, press Esc, then a label's key, and drag. "
    "To start on top of another box, hold Ctrl or ⌘."
)
_HOW_TO_KEEP = "Shift+Enter, then Ctrl+Enter. Tab or Esc loses the edit."
_KEYS = (
    "Severity: Z minor, X major, C critical. Verdict: Y pass, N fail, J discuss. Agree: G. "
    "Esc deselects, Backspace deletes a region, Ctrl+Z undoes. "
    "A label's key, such as Alt+1, relabels the selected region: press Esc before you draw. "
    "Shift+Enter keeps a text and Ctrl+Enter submits; Tab and Esc discard the text."
)
_SEVERITY_HINT = "How serious the defect is, by the severity levels of its criterion. See Instructions."
_REASON_HINTS: Mapping[Reason, str] = {
    Reason.AGREE: "The suggestion is correct, as it is or after a small correction.",
    Reason.NOT_A_DEFECT: "Nothing is wrong here. You can also delete the region.",
    Reason.WRONG_CRITERION: "This is a defect, but under a different criterion. Change the label.",
    Reason.WRONG_PLACE: "The defect is somewhere else, or larger or smaller. Move or resize the box.",
    Reason.WRONG_SEVERITY: "The defect is more or less serious. Change the severity.",
    Reason.EXPLANATION_WRONG: "The suggested text is incorrect. Edit it.",
    Reason.GUIDELINE_UNCLEAR: "The guideline can be interpreted in more than one way here.",
    Reason.NOT_COVERED: "The guideline does not cover this.",
}
_FEEDBACK_HINTS: Mapping[Feedback, str] = {
    Feedback.UNCLEAR: "A rule can be interpreted in more than one way for this image.",
    Feedback.NOT_COVERED: "The image shows something that no rule covers.",
    Feedback.CONFLICT: "Two rules contradict each other for this image.",
}


def generate(guideline: Guideline, *, reference: bool = False, prompt: bool = False) -> str:
    """The label config of a guideline, as indented XML that ends with a newline.

    Args:
        guideline: Its criteria become rectangle labels, in order; the novel pattern is the last label.
        reference: Show the task's `$reference` image beside the image under review.
        prompt: Show the task's `$prompt` text above the image.

    Raises:
        GuidelineError: The editor or another field already uses a hotkey of the guideline.
    """
    root = ET.Element("View", {"className": "rc"})
    ET.SubElement(root, "Style").text = STYLE
    _add_labels(root, guideline)
    body = ET.SubElement(root, "View", {"className": "rc-body"})
    _add_images(body, reference=reference, prompt=prompt)
    side = ET.SubElement(body, "View", {"className": "rc-side"})
    _add_image_fields(side, guideline)
    _add_region_fields(side, guideline)
    _add_feedback(side)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _add_labels(parent: ET.Element, guideline: Guideline) -> None:
    box = ET.SubElement(parent, "View", {"className": "rc-labels"})
    labels = ET.SubElement(
        box,
        "RectangleLabels",
        {
            "name": tag_names.LABEL,
            "toName": tag_names.IMAGE,
            "smart": "true",
            "strokeWidth": "2",
            "opacity": "0",
            "canRotate": "false",
            "showInline": "true",
        },
    )
    keys = _dealt_keys(guideline)
    for index, criterion in enumerate(guideline.criteria):
        color = PALETTE[index % len(PALETTE)]
        _add_label(
            labels,
            criterion.label,
            color=color,
            hint=criterion.definition,
            hotkey=keys.get(criterion.label),
            alias=next(iter(criterion.formerly), ""),
        )
    novel = guideline.novel
    _add_label(labels, novel.label, color=NOVEL_COLOR, hint=novel.definition, hotkey=keys.get(novel.label))


def _add_label(parent: ET.Element, value: str, *, color: str, hint: str, hotkey: str | None, alias: str = "") -> None:
    """Add a label. Results hold the alias if there is one, so that a renamed label stays the same in them."""
    attributes = {"value": value, "background": color, "hint": hint}
    if hotkey:
        attributes["hotkey"] = hotkey
    if alias:
        attributes["alias"] = alias
    ET.SubElement(parent, "Label", attributes)


def _dealt_keys(guideline: Guideline) -> dict[str, str]:
    """Map labels to hotkeys: the guideline's own first, then the next free key from the pool.

    The guideline's own single keys become Alt and that key, or Shift if the editor itself uses Alt and that key.
    """
    wanted = [(criterion.label, criterion.hotkey) for criterion in guideline.criteria]
    wanted.append((guideline.novel.label, guideline.novel.hotkey))
    for label, key in wanted:
        if key.casefold() in EDITOR_KEYS | _CHOICE_KEYS:
            taken_by = "the editor itself" if key.casefold() in EDITOR_KEYS else "another field of the review"
            raise GuidelineError(
                f'The hotkey "{key}" of "{label}" in the guideline {guideline.id} is already used by {taken_by}.',
                hint=f"Choose one of {', '.join(_PLAIN_KEYS)}, or leave hotkey out.",
            )
    own = {label: _with_modifier(key) for label, key in wanted if key}
    if twice := [key for key, count in Counter(own.values()).items() if count > 1]:
        raise GuidelineError(
            f"The guideline {guideline.id} uses the hotkey {twice[0]} for two labels.",
            hint="Choose another key for one.",
        )
    free = (key for key in (*_LABEL_KEYS, *_INERT_KEYS) if key not in own.values())
    keys = {label: own.get(label) or next(free, "") for label, _ in wanted}
    if nameless := [label for label, key in keys.items() if not key]:
        raise GuidelineError(
            f"The guideline {guideline.id} has too many criteria: no key is left for {', '.join(nameless)}.",
            hint=f"Use at most {len(_LABEL_KEYS) + len(_INERT_KEYS) - 1} criteria, or split the guideline.",
        )
    return keys


def _with_modifier(key: str) -> str:
    """A key that is not pressed by accident: a plain key would relabel the selected region."""
    if len(key) > 1:
        return key.casefold()
    return f"alt+{key.casefold()}" if f"alt+{key.casefold()}" not in EDITOR_KEYS else f"shift+{key.casefold()}"


def _add_images(parent: ET.Element, *, reference: bool, prompt: bool) -> None:
    column = ET.SubElement(parent, "View", {"className": "rc-image"})
    if prompt:
        box = ET.SubElement(column, "View", {"className": "rc-prompt"})
        ET.SubElement(box, "Header", {"value": "Prompt", "size": "6"})
        ET.SubElement(box, "Text", {"name": tag_names.PROMPT, "value": "$prompt"})
    pair = ET.SubElement(column, "View", {"className": "rc-pair rc-two" if reference else "rc-pair"})
    _add_image(ET.SubElement(pair, "View", {"className": "rc-one"}), tag_names.IMAGE, value="$image")
    if reference:
        _add_image(ET.SubElement(pair, "View", {"className": "rc-one"}), tag_names.REFERENCE, value="$reference")


def _add_image(parent: ET.Element, name: str, *, value: str) -> None:
    ET.SubElement(
        parent,
        "Image",
        {
            "name": name,
            "value": value,
            "zoom": "true",
            "zoomControl": "true",
            "brightnessControl": "true",
            "contrastControl": "true",
            "rotateControl": "true",
            "maxHeight": "calc(100vh - 240px)",
        },
    )


def _add_image_fields(parent: ET.Element, guideline: Guideline) -> None:
    group = _add_group(parent, "Verdict")
    verdicts = _add_choices(group, tag_names.VERDICT, look="rc-pills", choice="single-radio", required="true")
    verdicts.set("requiredMessage", "Choose a verdict: pass, fail or discuss.")
    for verdict, value in tag_names.VERDICT_CHOICES.items():
        _add_choice(verdicts, value, hotkey=_VERDICT_KEYS[verdict], hint=guideline.verdict.words)
    _add_text(group, tag_names.SUMMARY, rows=2, placeholder="Summary in one or two sentences")


def _add_region_fields(parent: ET.Element, guideline: Guideline) -> None:
    empty = _add_group(parent, "No region selected", visibleWhen="no-region-selected")
    ET.SubElement(
        ET.SubElement(empty, "View", {"className": "rc-quiet"}),
        "Header",
        {"value": _HOW_TO_DRAW, "size": "6"},
    )
    look = {"className": "rc-group rc-selected", "visibleWhen": "region-selected"}
    group = ET.SubElement(parent, "View", look)
    _add_definitions(group, guideline)
    severities = _add_choices(group, tag_names.SEVERITY, look="rc-pills", choice="single-radio", perRegion="true")
    for severity, value in tag_names.SEVERITY_CHOICES.items():
        _add_choice(severities, value, hotkey=_SEVERITY_KEYS[severity], hint=_SEVERITY_HINT)
    _add_text(group, tag_names.RATIONALE, rows=4, placeholder=guideline.rationale.words, perRegion="true")
    _add_line(group, "rc-keep", _HOW_TO_KEEP)
    reasons = _add_choices(group, tag_names.REASONS, look="rc-ticks", choice="multiple", perRegion="true")
    for reason, value in tag_names.REASON_CHOICES.items():
        _add_choice(reasons, value, hotkey=_REASON_KEYS[reason], hint=_REASON_HINTS[reason])
    _add_text(group, tag_names.NOTE, rows=1, placeholder="Note on this region (optional)", perRegion="true")
    _add_drafted(group)


def _add_definitions(parent: ET.Element, guideline: Guideline) -> None:
    """One line per label, which the editor shows while a region with that label is selected."""
    entries = [
        (criterion.label, f"{criterion.id} {criterion.label}", criterion.definition) for criterion in guideline.criteria
    ]
    entries.append((guideline.novel.label, guideline.novel.label, guideline.novel.definition))
    for label, title, definition in entries:
        when = {"visibleWhen": "region-selected", "whenTagName": tag_names.LABEL, "whenLabelValue": label}
        box = ET.SubElement(parent, "View", {"className": "rc-criterion", **when})
        ET.SubElement(box, "Header", {"value": title, "size": "6"})
        _add_line(box, "rc-definition", definition)


def _add_drafted(parent: ET.Element) -> None:
    """What the draft said, in the region's row of the Regions list. It is read-only and never follows an edit."""
    attributes = {"name": tag_names.DRAFTED, "toName": tag_names.IMAGE, "perRegion": "true"}
    ET.SubElement(parent, "TextArea", {**attributes, "displayMode": "region-list", "maxSubmissions": "1", "rows": "1"})


def _add_line(parent: ET.Element, look: str, words: str) -> None:
    ET.SubElement(ET.SubElement(parent, "View", {"className": look}), "Header", {"value": words, "size": "6"})


def _add_feedback(parent: ET.Element) -> None:
    group = _add_group(parent, "Guideline feedback", look="rc-feedbacks")
    feedback = _add_choices(group, tag_names.FEEDBACK, look="rc-ticks rc-three", choice="multiple")
    for kind, value in tag_names.FEEDBACK_CHOICES.items():
        _add_choice(feedback, value, hotkey=_FEEDBACK_KEYS[kind], hint=_FEEDBACK_HINTS[kind])
    _add_text(group, tag_names.FEEDBACK_NOTE, rows=1, placeholder="What should the guideline say? (optional)")


def _add_group(parent: ET.Element, title: str, *, look: str = "", **attributes: str) -> ET.Element:
    group = ET.SubElement(parent, "View", {"className": f"rc-group {look}".strip(), **attributes})
    ET.SubElement(group, "Header", {"value": title, "size": "6"})
    return group


def _add_choices(parent: ET.Element, name: str, *, look: str, **attributes: str) -> ET.Element:
    box = ET.SubElement(parent, "View", {"className": look})
    return ET.SubElement(box, "Choices", {"name": name, "toName": tag_names.IMAGE, "layout": "inline", **attributes})


def _add_choice(parent: ET.Element, value: str, *, hotkey: str, hint: str) -> None:
    told = f"{hint} [{hotkey}]"
    ET.SubElement(parent, "Choice", {"value": value, "hotkey": hotkey, "hint": told})


def _add_text(parent: ET.Element, name: str, *, rows: int, placeholder: str, **attributes: str) -> None:
    box = ET.SubElement(parent, "View", {"className": f"rc-{name}"})
    ET.SubElement(
        box,
        "TextArea",
        {
            "name": name,
            "toName": tag_names.IMAGE,
            "rows": str(rows),
            "maxSubmissions": "1",
            "editable": "true",
            "showSubmitButton": "false",
            "placeholder": placeholder,
            **attributes,
        },
    )


def instructions(guideline: Guideline, *, blind_share: float = 0.0) -> str:
    """The guideline as HTML for the project's labeling instructions, with all text escaped.

    Bullets and blank lines are written as text: the dialog of Label Studio 1.23 removes all margins and list markers.

    Args:
        guideline: The guideline that reviewers follow.
        blind_share: Share of tasks whose suggestions are withheld; if positive, the instructions mention it.
    """
    *lines, revision = _instruction_lines(guideline)
    return "\n".join([*lines, *([_disclosed(blind_share)] if blind_share else []), revision])


def _disclosed(share: float) -> str:
    return (
        "<br><p><b>Tasks without suggestions.</b> "
        f"On a random {share:.0%} of the tasks, the copilot's suggestions are hidden, to measure what reviewers "
        "find without them. Review these tasks like any other.</p>"
    )


def _instruction_lines(guideline: Guideline) -> Iterator[str]:
    yield f"<h2>{escape(guideline.title)} {escape(guideline.version)}</h2>"
    yield f"<p>{escape(guideline.purpose)}</p>"
    yield f"<br><p><b>Verdict.</b> {escape(guideline.verdict.words)}</p>"
    yield f"<br><p><b>Rationale.</b> {escape(guideline.rationale.words)}</p>"
    yield f"<br><p><b>Keys.</b> {escape(_KEYS)}</p>"
    for criterion in guideline.criteria:
        yield from _criterion_lines(criterion)
    yield f"<br><h3>{escape(guideline.novel.label)}</h3>"
    yield f"<p>{escape(guideline.novel.definition)}</p>"
    yield f"<br><p><i>Revision {escape(guideline.revision)}</i></p>"


def _criterion_lines(criterion: Criterion) -> Iterator[str]:
    yield f"<br><h3>{escape(criterion.id)} {escape(criterion.label)}</h3>"
    yield f"<p>{escape(criterion.definition)}</p>"
    for title, entries in (("Flag when", criterion.flag_when), ("Do not flag when", criterion.do_not_flag_when)):
        yield f"<p><b>{title}</b></p>"
        for entry in entries:
            yield f"<p>• {escape(entry)}</p>"
    yield "<p><b>Severity</b></p>"
    for severity in Severity:
        yield f"<p>• <b>{severity.value}</b>: {escape(criterion.severity[severity].words)}</p>"
    yield f"<p><b>Example</b>: {escape(criterion.rationale)}</p>"
