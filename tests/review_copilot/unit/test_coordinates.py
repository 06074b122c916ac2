from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_copilot.domain.geometry import Box
from review_copilot.inspectors.coordinates import (
    Convention,
    Order,
    Resize,
    Unit,
    smart_resize,
    within,
)
from review_copilot.inspectors.profiles import profile_for, read_profiles
from review_copilot.inspectors.reading.boxes import read_box
from review_copilot.inspectors.reading.fields import Unreadable
from review_copilot.library import prompt_source

PROFILES = read_profiles(prompt_source("profiles.yaml"))

# One box, x .1 to .4 and y .2 to .8 of a picture sent at 1500 x 1000 px, as each family writes it.
GOLDEN = [
    ("Qwen-VL-Chat", "[100, 200, 400, 800]"),
    ("Qwen2-VL-7B-Instruct", "[100, 200, 400, 800]"),
    ("Qwen2.5-VL-7B-Instruct", "[151, 202, 605, 806]"),  # 1500 x 1000 is resized to 1512 x 1008
    ("Qwen3-VL-8B-Instruct", "[100, 200, 400, 800]"),
    ("gemini-3-pro", "[200, 100, 800, 400]"),
    ("InternVL3-8B", "<ref>flaw</ref><box>[[100, 200, 400, 800]]</box>"),
    ("MiniCPM-V-4_5", "<box>100 200 400 800</box>"),
    ("Kimi-VL-A3B", "[0.1, 0.2, 0.4, 0.8]"),
    ("allenai/Molmo2-8B", "[100, 200, 400, 800]"),
    ("qwen-vl-max", "[151, 202, 605, 806]"),
    ("gpt-4o-2024-11-20", "[100, 200, 400, 800]"),
    ("gpt-5.5", "[100, 200, 400, 800]"),
]


def numbers_of(written: object) -> tuple[float, ...]:
    box = read_box(written)
    assert box is not None
    return box.numbers


@pytest.mark.parametrize(("model", "written"), GOLDEN)
def test_each_family_is_read_by_its_own_convention(model: str, written: str) -> None:
    convention = profile_for(model, PROFILES).convention
    box = convention.to_box(numbers_of(written), width_px=1500, height_px=1000)
    edges = (box.x, box.y, box.right, box.bottom)
    assert edges == pytest.approx((0.1, 0.2, 0.4, 0.8), abs=0.0011)


def test_points_become_small_boxes_around_the_point() -> None:
    convention = Convention(Unit.PERCENT, Order.XY)
    box = convention.to_box((25.0, 50.0), width_px=1500, height_px=1000)
    assert (box.x + box.width / 2, box.y + box.height / 2) == pytest.approx((0.25, 0.5))


@pytest.mark.parametrize(
    ("order", "numbers"),
    [
        (Order.XYXY, (10, 20, 40, 80)),
        (Order.YXYX, (20, 10, 80, 40)),
        (Order.XYWH, (10, 20, 30, 60)),
        (Order.YXHW, (20, 10, 60, 30)),
    ],
)
def test_all_orders_say_the_same_box(order: Order, numbers: tuple[float, ...]) -> None:
    box = Convention(Unit.PERCENT, order).to_box(numbers, width_px=333, height_px=77)
    assert (box.x, box.y, box.width, box.height) == pytest.approx((0.1, 0.2, 0.3, 0.6))


@pytest.mark.parametrize("size", [(5000, 26), (26, 5000), (200, 1), (31, 4000)])
def test_pixels_of_a_strip_refer_to_the_strip_as_it_was_resized(size: tuple[int, int]) -> None:
    """Both sides are scaled on their own: with one common factor a strip's boxes would be far off."""
    frame = Resize(factor=28, min_pixels=3136, max_pixels=12845056)
    convention = Convention(Unit.PIXELS, Order.XYXY, frame)
    width_px, height_px = frame.size(*size)
    box = convention.to_box((0, 0, width_px / 2, height_px), width_px=size[0], height_px=size[1])
    assert (box.right, box.bottom) == pytest.approx((0.5, 1.0))


@pytest.mark.parametrize(
    ("size", "limits", "expected"),
    [  # as transformers 5.23 answers; tests/local_models asks it
        ((1500, 1000), {"factor": 28, "min_pixels": 3136, "max_pixels": 12845056}, (1512, 1008)),
        ((4032, 3024), {"factor": 28, "min_pixels": 3136, "max_pixels": 1003520}, (1148, 840)),
        ((10, 20), {"factor": 28, "min_pixels": 3136, "max_pixels": 1003520}, (56, 84)),
        ((4032, 3024), {"factor": 32, "min_pixels": 65536, "max_pixels": 16777216}, (4032, 3008)),
        ((46, 46), {"factor": 28}, (56, 56)),
        ((42, 14), {"factor": 28}, (56, 28)),
    ],
)
def test_smart_resize(size: tuple[int, int], limits: dict[str, int], expected: tuple[int, int]) -> None:
    assert (
        smart_resize(*size, factor=limits["factor"], **{k: v for k, v in limits.items() if k != "factor"}) == expected
    )


def test_smart_resize_refuses_what_the_model_refuses() -> None:
    with pytest.raises(ValueError, match="above 200"):
        smart_resize(2010, 10, factor=28)


@given(width_px=st.integers(60, 6000), height_px=st.integers(60, 6000), factor=st.sampled_from([14, 28, 32]))
def test_a_size_on_the_grid_is_not_resized_again(width_px: int, height_px: int, factor: int) -> None:
    """What we send is at the model's grid already, so that two stages never resize."""
    grid = Resize(factor=factor, min_pixels=3136, max_pixels=1_500_000)
    once = grid.size(width_px, height_px)
    assert grid.size(*once) == once


@given(
    corners=st.tuples(*[st.floats(0.02, 0.98)] * 4),
    unit=st.sampled_from(list(Unit)),
    order=st.sampled_from([Order.XYXY, Order.YXYX, Order.XYWH, Order.YXHW]),
    size=st.tuples(st.integers(64, 3000), st.integers(64, 3000)),
)
def test_writing_and_reading_a_box_gives_it_back(
    corners: tuple[float, ...], unit: Unit, order: Order, size: tuple[int, int]
) -> None:
    box = Box.from_corners(*corners)
    convention = Convention(unit, order, Resize(factor=28))
    written = convention.from_box(box, width_px=size[0], height_px=size[1])
    read = convention.to_box(written, width_px=size[0], height_px=size[1])
    tolerance = max(1.6 / min(Resize(factor=28).size(*size)), 0.006)
    assert (read.x, read.y, read.right, read.bottom) == pytest.approx(
        (box.x, box.y, box.right, box.bottom), abs=tolerance
    )


@pytest.mark.parametrize("numbers", [(1, 2, 3), (1, 2, 3, math.nan), (1, 2, math.inf, 4), ()])
def test_numbers_that_make_no_box_are_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"numbers make a box|not finite"):
        Convention(Unit.THOUSANDTHS, Order.XYXY).to_box(numbers, width_px=10, height_px=10)


@pytest.mark.parametrize(
    "written", [{"a": 1}, [], ["a", "b"], [1, None, 3, 4], [[1, 2], [3]], "", "upper left", "around 3 lamps", 7, True]
)
def test_what_is_no_box_is_refused_or_none(written: object) -> None:
    """Only a word for "none" is none; everything else that is no box is an error to repair."""
    if written == "":
        assert read_box(written) is None
        return
    with pytest.raises(Unreadable):
        read_box(written)


@pytest.mark.parametrize("written", [None, "null", "None", "whole image"])
def test_a_word_for_none_is_no_box(written: object) -> None:
    assert read_box(written) is None


def test_a_box_of_a_part_lies_in_the_part() -> None:
    part = Box(0.5, 0.25, 0.25, 0.5)
    box = within(part, Box(0.2, 0.5, 0.4, 0.5))
    assert (box.x, box.y, box.width, box.height) == pytest.approx((0.55, 0.5, 0.1, 0.25))
