"""What the built-in inspector offers to guidelines, and which criteria it says it examined."""

from __future__ import annotations

import pytest

from boards import board
from builders import a_criterion, a_guideline, an_image
from photo_inspector.inspector import BuiltinInspector
from pictures import scene
from review_copilot.library import guideline_names, load_guideline
from review_copilot.plugin import Box, Brief

BOTH = a_guideline(
    a_criterion("SOFT", measures=("defocus",)),
    a_criterion("TINT", measures=("colour_cast",)),
    a_criterion("BORDER", measures=("border",)),
    a_criterion("DIFF", measures=("difference",)),
    a_criterion("OPEN", measures=("pcb_open",)),
    a_criterion("SEAM", measures=("seam",)),
    a_criterion("COPY", measures=("copied_patch",)),
    a_criterion("TASTE", measures=()),
)
"""One criterion for each part of the inspector, and one that nothing measures."""
MEASURED = {"SOFT", "TINT", "BORDER"}
EDITED = {"SEAM", "COPY"}
COMPARED = {"DIFF", "OPEN"}
PLACE = Box(0.3, 0.3, 0.4, 0.4)


def examined(*, reference: bool = False, box: Box | None = None, budget_s: float = 120.0) -> set[str]:
    """Ids of the criteria examined on one scene."""
    pictured = board(seed=1)
    image, template = an_image(pictured.image), an_image(pictured.template)
    asked = Brief(image, BOTH, reference=template if reference else None, box=box)
    return set(BuiltinInspector(editing_budget_s=budget_s).inspect(asked).examined)


def test_each_measure_has_one_name_and_a_unit() -> None:
    catalogue = BuiltinInspector().catalogue()
    names = [measure.name for measure in catalogue]
    assert len(names) == len(set(names))
    assert all(measure.unit for measure in catalogue)


@pytest.mark.parametrize("guideline", guideline_names())
def test_every_measure_of_a_shipped_guideline_is_offered(guideline: str) -> None:
    offered = {measure.name for measure in BuiltinInspector().catalogue()}
    asked = {name for criterion in load_guideline(guideline).criteria for name in criterion.measures}
    assert asked <= offered


def test_a_whole_image_without_a_reference_is_not_compared() -> None:
    assert examined() == MEASURED | EDITED


def test_a_whole_image_with_a_reference_is_compared_too() -> None:
    assert examined(reference=True) == MEASURED | EDITED | COMPARED


def test_in_a_box_only_what_a_part_can_show_is_examined() -> None:
    """Tint and bars belong to the whole image."""
    assert examined(box=PLACE) == {"SOFT"} | EDITED
    assert examined(box=PLACE, reference=True) == {"SOFT"} | EDITED | COMPARED


@pytest.mark.parametrize("box", [Box(0.5, 0.5, 0.01, 0.01), Box(2.0, 2.0, 0.1, 0.1)])
def test_a_box_too_small_or_outside_is_not_measured(box: Box) -> None:
    assert not examined(box=box) & MEASURED


def test_an_unfinished_search_for_copies_is_not_examined() -> None:
    """Seams are always searched to the end."""
    assert examined(budget_s=1e-9) == MEASURED | {"SEAM"}


def test_a_reference_of_another_scene_is_not_compared() -> None:
    image, other = an_image(scene(seed=1)), an_image(scene(seed=2))
    assert not set(BuiltinInspector().inspect(Brief(image, BOTH, reference=other)).examined) & COMPARED
