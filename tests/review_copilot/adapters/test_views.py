"""What is sent of an image: at the model's grid, upright, and with small flaws still to be seen."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from builders import an_image
from pictures import grained, scene
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.errors import ImageUnreadable
from review_copilot.images import open_image
from review_copilot.inspectors.blank_image import nothing_to_see
from review_copilot.inspectors.coordinates import Resize
from review_copilot.inspectors.views import CLOSE_UP_PX, close_ups, part_view, whole_view

GRID = Resize(factor=32, longest_px=1024)


def camera_file(*, seed: int = 7, spots: tuple[tuple[int, int], ...] = (), side_px: int = 20) -> Pixels:
    """A 12-megapixel picture with soft dark spots, as dust on a sensor makes them."""
    big = cv2.resize(scene(seed=seed, width_px=1008, height_px=756), (4032, 3024), interpolation=cv2.INTER_CUBIC)
    pixels = grained(np.asarray(big, np.uint8), sigma=2.0)
    for x, y in spots:
        cv2.circle(pixels, (x, y), side_px // 2, (40, 38, 36), thickness=-1, lineType=cv2.LINE_AA)
    return pixels


@pytest.mark.parametrize("size", [(4032, 3024), (3024, 4032), (500, 333), (33, 31), (6000, 40), (40, 6000)])
def test_the_whole_view_is_at_the_models_grid(size: tuple[int, int]) -> None:
    image = an_image(np.full((size[1], size[0], 3), 90, np.uint8))
    view = whole_view(image, GRID)
    assert (view.width_px, view.height_px) == GRID.size(*size)
    assert view.width_px % 32 == view.height_px % 32 == 0
    assert view.box == Box.whole()


def test_a_strip_that_the_model_refuses_is_an_image_error() -> None:
    image = an_image(np.zeros((20, 4100, 3), np.uint8))
    with pytest.raises(ImageUnreadable, match="aspect ratios above 200"):
        whole_view(image, Resize(factor=28))


def test_a_part_is_cut_with_its_margin_and_stays_in_the_image() -> None:
    pixels = scene(width_px=1000, height_px=800)
    view = part_view(an_image(pixels), Box(0.9, 0.9, 0.1, 0.1), grid=Resize(), margin=0.5)
    assert (view.width_px, view.height_px) == (200, 160)
    assert (view.box.right, view.box.bottom) == pytest.approx((1.0, 1.0))
    assert np.array_equal(view.pixels, pixels[640:, 800:])


def test_a_tiny_part_is_shown_with_enough_around_it() -> None:
    view = part_view(an_image(scene()), Box(0.5, 0.5, 0.001, 0.001), grid=Resize(), least_px=160)
    assert (view.width_px, view.height_px) == (160, 160)


def test_close_ups_are_full_size_parts_around_what_the_whole_view_would_lose() -> None:
    spots = ((400, 2600), (2000, 300), (3700, 1500))
    pixels = camera_file(spots=spots)
    views = close_ups(an_image(pixels), grid=GRID, sent_scale=0.25, most=6)
    for view in views:
        assert (view.width_px, view.height_px) == (CLOSE_UP_PX, CLOSE_UP_PX)
        left, top = round(view.box.x * 4032), round(view.box.y * 3024)
        assert np.array_equal(view.pixels, pixels[top : top + CLOSE_UP_PX, left : left + CLOSE_UP_PX])
    seen = [any(_holds(view.box, x / 4032, y / 3024) for view in views) for x, y in spots]
    assert seen == [True, True, True]


def test_no_close_ups_where_nothing_is_lost() -> None:
    image = an_image(scene(width_px=1000, height_px=800))
    assert close_ups(image, grid=GRID, sent_scale=1.0, most=6) == ()
    assert close_ups(image, grid=GRID, sent_scale=0.2, most=0) == ()
    assert close_ups(an_image(np.full((3000, 4000, 3), 90, np.uint8)), grid=GRID, sent_scale=0.2, most=6) == ()


@pytest.mark.parametrize("level", [0, 3, 128, 255])
def test_a_flat_frame_is_not_worth_a_model(level: int) -> None:
    facts = nothing_to_see(np.full((300, 400, 3), level, np.uint8))
    assert facts is not None
    assert facts["mean_level_percent"] == pytest.approx(level / 2.55, abs=0.1)


def test_a_black_frame_with_sensor_noise_is_not_worth_a_model() -> None:
    assert nothing_to_see(grained(np.full((3000, 4000, 3), 6, np.uint8), sigma=4.0)) is not None


def test_a_speck_on_a_plain_ground_is_worth_a_model() -> None:
    pixels = np.full((3000, 4000, 3), 190, np.uint8)
    pixels[1500:1520, 2000:2020] = 100
    assert nothing_to_see(pixels) is None


def test_a_dark_scene_is_worth_a_model() -> None:
    assert nothing_to_see(np.asarray(scene() // 12, np.uint8)) is None


def _holds(box: Box, x: float, y: float) -> bool:
    return box.x <= x <= box.right and box.y <= y <= box.bottom


def test_what_is_sent_carries_no_metadata() -> None:
    """Place, camera, and comments of the file stay behind, in the whole view and in parts."""
    secret = b"48.8583 N 2.2945 E"
    exif = Image.Exif()
    exif[0x010E] = secret.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.9), 3: "E", 4: (2.0, 17.0, 40.2)})
    for form, extra in (("JPEG", {"comment": secret}), ("PNG", {}), ("WEBP", {}), ("TIFF", {})):
        sink = io.BytesIO()
        Image.effect_noise((900, 700), 60).convert("RGB").save(sink, form, exif=exif, **extra)
        data = sink.getvalue()
        assert secret in data
        image = open_image(data, source="a file", max_pixels=10**7)
        views = (
            whole_view(image, GRID),
            part_view(image, Box(0.1, 0.1, 0.3, 0.3), grid=GRID),
        )
        for view in views:
            assert secret not in view.jpeg
            sent = Image.open(io.BytesIO(view.jpeg))
            assert not sent.getexif()
            assert "comment" not in sent.info
