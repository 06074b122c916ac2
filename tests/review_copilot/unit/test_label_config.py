"""The label config that a guideline generates: complete, accessible, without colliding keys, and as shipped."""

from __future__ import annotations

import itertools
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from label_studio_sdk.label_interface.interface import LabelInterface
from skimage.color import deltaE_ciede2000, rgb2lab

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.override import Feedback, Reason
from review_copilot.errors import GuidelineError
from review_copilot.labelstudio.label_config import EDITOR_KEYS, generate, instructions
from review_copilot.labelstudio.label_config_style import NOVEL_COLOR, PALETTE, STYLE
from review_copilot.library import guideline_names, load_guideline, shipped_label_config

SHIPPED = {"photo-quality": (), "pcb": ("reference",), "generated-image": ("prompt",), "edited-photo": ()}
"""Guideline to what its shipped config shows beside the image."""


@pytest.fixture(scope="module")
def guideline() -> Guideline:
    return load_guideline("photo-quality")


def keys_of(xml: str) -> list[str]:
    return [element.get("hotkey", "") for element in ET.fromstring(xml).iter() if element.tag in {"Label", "Choice"}]  # noqa: S314  # our own text


def test_every_shipped_guideline_has_a_shipped_config() -> None:
    assert set(SHIPPED) == set(guideline_names())


@pytest.mark.parametrize(("name", "shown"), SHIPPED.items())
def test_the_shipped_config_is_the_generated_one(name: str, shown: tuple[str, ...]) -> None:
    """Mend with `review-copilot label-config --guideline NAME --out label_config/NAME.xml`."""
    assert shipped_label_config(name) == generate(
        load_guideline(name), reference="reference" in shown, prompt="prompt" in shown
    )


def test_label_studios_own_reader_accepts_it(guideline: Guideline) -> None:
    interface = LabelInterface(generate(guideline, reference=True, prompt=True))
    interface.validate()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
    assert {"image", "reference", "prompt"} <= {found.name for found in interface.objects}


def test_every_criterion_has_its_label_with_the_definition_as_hint(guideline: Guideline) -> None:
    labels = list(ET.fromstring(generate(guideline)).iter("Label"))  # noqa: S314  # our own text
    expected = [(c.label, c.definition) for c in guideline.criteria] + [
        (guideline.novel.label, guideline.novel.definition)
    ]
    assert [(label.get("value"), label.get("hint")) for label in labels] == expected


def test_it_offers_every_reason_and_every_feedback(guideline: Guideline) -> None:
    values = {choice.get("value") for choice in ET.fromstring(generate(guideline)).iter("Choice")}  # noqa: S314  # our own text
    assert {str(word).replace("_", " ") for word in [*Reason, *Feedback]} <= values
    assert {"minor", "major", "critical", "pass", "fail", "discuss"} <= values


def test_the_magic_tool_and_the_image_tools_are_on(guideline: Guideline) -> None:
    root = ET.fromstring(generate(guideline))  # noqa: S314  # our own text
    labels, image = root.find(".//RectangleLabels"), root.find(".//Image")
    assert labels is not None
    assert image is not None
    assert labels.get("smart") == "true"
    controls = ("zoomControl", "brightnessControl", "contrastControl", "rotateControl")
    assert [image.get(control) for control in controls] == ["true"] * 4


def test_reference_and_prompt_appear_only_when_asked_for(guideline: Guideline) -> None:
    plain, full = generate(guideline), generate(guideline, reference=True, prompt=True)
    assert "$reference" not in plain
    assert "$prompt" not in plain
    assert "$reference" in full
    assert "$prompt" in full


@pytest.mark.parametrize("name", SHIPPED)
def test_no_key_is_given_twice_or_taken_from_the_editor(name: str) -> None:
    keys = keys_of(generate(load_guideline(name)))
    assert all(keys)
    assert len(keys) == len(set(keys))
    assert not EDITOR_KEYS & set(keys)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_label_has_a_key_without_a_modifier(name: str) -> None:
    """A label's key relabels the selected region, so that it must not be pressed by accident."""
    root = ET.fromstring(generate(load_guideline(name)))  # noqa: S314  # our own text
    keys = [label.get("hotkey", "") for label in root.iter("Label")]
    assert all(key.startswith(("alt+", "shift+")) for key in keys)


def test_keys_are_dealt_to_labels_without_one(guideline: Guideline) -> None:
    """Forty criteria: the guideline's own key is kept, nothing collides, and what is over gets a key of no keyboard."""
    first = replace(guideline.criteria[0], hotkey="a")
    others = [replace(first, id=f"X-{n}", label=f"Extra {n}", hotkey="") for n in range(40)]
    keys = keys_of(generate(replace(guideline, criteria=(first, *others))))
    assert keys[0] == "alt+a"
    assert all(keys)
    assert len(keys) == len(set(keys))
    assert not EDITOR_KEYS & set(keys)


def test_more_labels_than_keys_are_refused(guideline: Guideline) -> None:
    others = [replace(guideline.criteria[0], id=f"X-{n}", label=f"Extra {n}", hotkey="") for n in range(60)]
    with pytest.raises(GuidelineError, match="no key is left for Extra"):
        generate(replace(guideline, criteria=tuple(others)))


def test_the_key_l_gets_shift_because_the_editor_uses_alt_and_l(guideline: Guideline) -> None:
    first = replace(guideline.criteria[0], hotkey="l")
    assert keys_of(generate(replace(guideline, criteria=(first,))))[0] == "shift+l"
    twice = (first, replace(guideline.criteria[1], hotkey="shift+l"))
    with pytest.raises(GuidelineError, match="the hotkey shift\\+l for two labels"):
        generate(replace(guideline, criteria=twice))


def test_each_label_shows_its_definition_while_its_region_is_selected(guideline: Guideline) -> None:
    root = ET.fromstring(generate(guideline))  # noqa: S314  # our own text
    shown = {
        view.get("whenLabelValue"): " ".join(header.get("value", "") for header in view.iter("Header"))
        for view in root.iter("View")
        if view.get("whenLabelValue")
    }
    assert set(shown) == {label.get("value") for label in root.iter("Label")}
    for criterion in guideline.criteria:
        assert criterion.definition in shown[criterion.label]


@pytest.mark.parametrize(
    ("key", "whose"), [("w", "the editor itself"), ("R", "the editor itself"), ("z", "another field")]
)
def test_a_hotkey_that_is_taken_is_refused_with_free_ones(guideline: Guideline, key: str, whose: str) -> None:
    criteria = (replace(guideline.criteria[0], hotkey=key), *guideline.criteria[1:])
    with pytest.raises(GuidelineError, match=f"{whose}.*Choose one of 1, 2, 3"):
        generate(replace(guideline, criteria=criteria))


def luminance(color: str) -> float:
    """Relative luminance by WCAG 2.2."""
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("color", [*PALETTE, NOVEL_COLOR])
def test_every_colour_stands_out_on_white_and_on_black(color: str) -> None:
    light = luminance(color)
    assert 1.05 / (light + 0.05) >= 3
    assert (light + 0.05) / 0.05 >= 3


def test_the_colours_of_a_guideline_differ_to_the_eye() -> None:
    def lab(color: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.asarray(rgb2lab(np.array([[[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]]]))[0, 0])

    used = [*PALETTE[:15], NOVEL_COLOR]
    pairs = itertools.combinations(used, 2)
    nearest = min(float(deltaE_ciede2000(lab(a), lab(b))) for a, b in pairs)  # type: ignore[no-untyped-call]  # untyped
    assert nearest >= 17


def test_the_style_holds_nothing_that_the_editor_escapes() -> None:
    assert not set("<>&") & set(STYLE)


def test_instructions_hold_the_whole_guideline_and_no_html_of_its_own(guideline: Guideline) -> None:
    nasty = replace(guideline.criteria[0], definition="<script>alert('x')</script> & <b>bold</b>")
    html = instructions(replace(guideline, criteria=(nasty, *guideline.criteria[1:])))
    assert "<script>" not in html
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &lt;b&gt;bold" in html
    for criterion in guideline.criteria:
        assert f"<h3>{criterion.id} {criterion.label}</h3>" in html
    assert guideline.revision in html
