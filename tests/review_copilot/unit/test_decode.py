"""Files of every awkward kind become the upright picture that a browser shows, or a clear error."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from review_copilot.errors import ImageTooLarge, ImageUnreadable
from review_copilot.images import open_image
from review_copilot.images.decode import ORIENTATION_TAG

RED, GREEN, BLUE, GREY = (220, 30, 30), (30, 200, 30), (30, 30, 220), (120, 120, 120)


def _quarters(width: int = 96, height: int = 64) -> Image.Image:
    """Upright: red, green above; blue, grey below."""
    picture = Image.new("RGB", (width, height), GREY)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    return picture


def _file(picture: Image.Image, form: str, **options: object) -> bytes:
    sink = io.BytesIO()
    picture.save(sink, form, **options)
    return sink.getvalue()


def _decode(data: bytes, max_side: int | None = None) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return open_image(data, source="a.file", max_pixels=10_000_000).decode(max_side)


def _assert_upright(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    height, width = pixels.shape[:2]
    places = {(1, 1): RED, (1, 3): GREEN, (3, 1): BLUE, (3, 3): GREY}
    for (row, column), colour in places.items():
        assert np.abs(pixels[row * height // 4, column * width // 4].astype(int) - colour).max() < 12


LAY = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
       5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
       8: Image.Transpose.ROTATE_270}  # fmt: skip
"""From upright to stored, by EXIF 2.32, table 4."""


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_all_eight_orientations_stand_upright(orientation: int, form: str) -> None:
    turn = LAY.get(orientation)
    stored = _quarters() if turn is None else _quarters().transpose(turn)
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    image = open_image(_file(stored, form, exif=exif), source="a.file", max_pixels=10_000)
    assert (image.width_px, image.height_px, image.format) == (96, 64, form)
    for pixels in (image.pixels, image.decode(48)):
        _assert_upright(pixels)
    assert image.pixels.shape == (64, 96, 3)
    assert image.decode(48).shape == (32, 48, 3)


@pytest.mark.parametrize("orientation", LAY)
def test_a_picture_of_many_strips_stands_upright_to_the_pixel(orientation: int) -> None:
    grain = np.random.default_rng(1).integers(0, 255, (1111, 707, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    stored = Image.fromarray(grain).transpose(LAY[orientation])
    np.testing.assert_array_equal(_decode(_file(stored, "PNG", exif=exif, compress_level=1)), grain)


def test_an_orientation_that_does_not_exist_is_taken_for_upright() -> None:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 11
    _assert_upright(_decode(_file(_quarters(), "JPEG", exif=exif)))


@pytest.mark.parametrize(
    ("mode", "form"),
    [("L", "PNG"), ("1", "PNG"), ("P", "PNG"), ("P", "GIF"), ("CMYK", "JPEG"), ("LA", "PNG"), ("RGBA", "WEBP"),
     ("L", "JPEG"), ("RGB", "BMP"), ("RGB", "PPM"), ("YCbCr", "JPEG"), ("LAB", "TIFF")],
)  # fmt: skip
def test_every_colour_mode_becomes_rgb(mode: str, form: str) -> None:
    pixels = _decode(_file(_quarters().convert(mode), form))
    assert pixels.shape == (64, 96, 3)
    assert pixels.dtype == np.dtype(np.uint8)


def test_palette_and_cmyk_keep_their_colours() -> None:
    _assert_upright(_decode(_file(_quarters().convert("P", palette=Image.Palette.ADAPTIVE), "PNG")))
    _assert_upright(_decode(_file(_quarters().convert("CMYK"), "JPEG", quality=95)))


def _half_clear() -> Image.Image:
    picture = Image.new("RGBA", (4, 2), (0, 0, 0, 0))
    picture.paste((200, 0, 0, 255), (0, 0, 2, 2))
    return picture


@pytest.mark.parametrize("prepare", [lambda p: p, lambda p: p.quantize(4)])
def test_transparency_lies_on_white(prepare: Callable[[Image.Image], Image.Image]) -> None:
    """What is hidden below transparency is black here; a reviewer never sees it."""
    pixels = _decode(_file(prepare(_half_clear()), "PNG"))
    assert pixels[0, 3].tolist() == [255, 255, 255]
    assert pixels[0, 0].tolist() == [200, 0, 0]


def test_a_transparent_colour_of_an_rgb_file_lies_on_white() -> None:
    pixels = _decode(_file(_quarters(), "PNG", transparency=BLUE))
    assert pixels[60, 2].tolist() == [255, 255, 255]
    assert tuple(pixels[2, 2]) == RED


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight(form: str) -> None:
    values = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    assert _decode(_file(Image.fromarray(values), form))[0, :, 0].tolist() == [0, 1, 128, 255]


def test_floats_are_fractions() -> None:
    values = np.array([[0.0, 0.5, 1.0, 7.0, np.nan]], dtype=np.float32)
    assert _decode(_file(Image.fromarray(values), "TIFF"))[0, :, 0].tolist() == [0, 127, 255, 255, 0]


GRAY = np.tile(np.linspace(0, 240, 24).astype(np.uint8), (6, 1))


@pytest.mark.parametrize(
    "deep",
    [
        GRAY.astype(np.float32),
        GRAY.astype(np.float32) / 255,
        GRAY.astype(np.uint16) * 4,
        GRAY.astype(np.uint16) * 16,
        GRAY.astype(np.uint16) * 64,
        GRAY.astype(np.uint16) * 257,
        GRAY.astype(np.int32) * 257,
        GRAY.astype(np.float32) * 257,
    ],
    ids=["float levels", "float shares", "10 bits", "12 bits", "14 bits", "16 bits", "16 in 32 bits", "float 16 bits"],
)
def test_a_deep_tiff_looks_like_its_twin_of_eight_bits(deep: NDArray[np.generic]) -> None:
    pixels = _decode(_file(Image.fromarray(deep), "TIFF"))
    assert np.abs(pixels[..., 0].astype(int) - GRAY).max() <= 1


@pytest.mark.parametrize(("low_tag", "high_tag"), [(280, 281), (340, 341)])
def test_a_tiff_that_states_its_range_is_read_by_it(low_tag: int, high_tag: int) -> None:
    """A dark picture of 16 bits stays dark; the numbers alone would be taken for 12 bits."""
    data = _file(Image.fromarray(GRAY.astype(np.uint16) * 16), "TIFF", tiffinfo={low_tag: 0, high_tag: 65535})
    assert _decode(data).max() == 240 * 16 // 257


def test_a_dark_png_of_sixteen_bits_stays_dark() -> None:
    """The format says what white is."""
    assert _decode(_file(Image.fromarray(GRAY.astype(np.uint16) * 16), "PNG")).max() == 240 * 16 // 257


def test_the_first_frame_of_an_animation_is_shown() -> None:
    frames = [Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), BLUE)]
    for form in ("GIF", "WEBP", "PNG"):
        data = _file(frames[0], form, save_all=True, append_images=frames[1:], lossless=True)
        assert np.abs(_decode(data)[4, 4].astype(int) - RED).max() < 4


@pytest.mark.parametrize(("width", "height", "wanted"), [(1, 1, (1, 1)), (4000, 2, (1, 100)), (2, 4000, (100, 1))])
def test_extreme_sizes_keep_at_least_one_pixel(width: int, height: int, wanted: tuple[int, int]) -> None:
    data = _file(Image.new("RGB", (width, height), RED), "PNG")
    assert _decode(data).shape == (height, width, 3)
    assert _decode(data, 100).shape[:2] == wanted


def test_a_smaller_image_is_never_enlarged() -> None:
    assert _decode(_file(_quarters(), "JPEG"), 4000).shape == (64, 96, 3)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is an empty file"),
        (b"hello, I am a text" * 20, "not an image in a supported format[.]"),
        (b"<!DOCTYPE html><html><body>Sign in", "a web page, possibly a sign-in page"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG drawing"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image in a supported format"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 30, "a.file is"),
    ],
)
def test_what_is_no_image_is_said_to_be_none(data: bytes, says: str) -> None:
    with pytest.raises(ImageUnreadable, match=says):
        open_image(data, source="a.file", max_pixels=10_000)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_file_cut_in_half_is_unreadable_or_too_short_to_open(form: str) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 200, 3), dtype=np.uint8))
    data = _file(noise, form)
    with pytest.raises(ImageUnreadable, match=r"corrupt|truncated|not an image"):
        _decode(data[: len(data) // 2])


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_is_decoded_to_the_bit_as_pillow_does(mode: str) -> None:
    grain = Image.fromarray(np.random.default_rng(1).integers(0, 255, (111, 77, 3), dtype=np.uint8))
    data = _file(grain.convert(mode), "JPEG", quality=80)
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(_decode(data), np.asarray(image.convert("RGB")))


def test_a_jpeg_with_stray_bytes_is_shown_as_pillow_shows_it() -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 200, 3), dtype=np.uint8))
    whole = _file(noise, "JPEG")
    data = whole[: len(whole) // 2] + whole[-2:]
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(_decode(data), np.asarray(image.convert("RGB")))


def test_more_pixels_than_allowed_are_refused_before_decoding() -> None:
    with pytest.raises(ImageTooLarge, match=r"96 x 64 pixels, more than the limit of 6143"):
        open_image(_file(_quarters(), "PNG"), source="a.file", max_pixels=96 * 64 - 1)


def test_a_decompression_bomb_is_refused() -> None:
    """A few hundred bytes that claim 2.5 billion pixels."""
    header = bytearray(_file(Image.new("1", (8, 8)), "BMP"))
    header[18:26] = (50_000).to_bytes(4, "little") * 2
    with pytest.raises(ImageTooLarge):
        open_image(bytes(header), source="a.file", max_pixels=10_000_000)


def test_a_phone_picture_with_a_second_picture_inside_is_a_jpeg() -> None:
    """Phones write MPO, which every browser shows as the JPEG that it begins with."""
    data = _file(_quarters(), "MPO", save_all=True, append_images=[_quarters().rotate(180)])
    image = open_image(data, source="a.file", max_pixels=10_000)
    assert image.format == "JPEG"
    _assert_upright(image.pixels)


@pytest.mark.parametrize("asked", [None, 1568])
def test_a_glance_is_taken_from_what_was_decoded_already(asked: int | None) -> None:
    """It shows the same as one that is decoded afresh, but for rounding."""
    data = _file(_quarters(3000, 2000), "JPEG", quality=95)
    fresh = open_image(data, source="a.jpg", max_pixels=10_000_000).feature_pixels
    image = open_image(data, source="a.jpg", max_pixels=10_000_000)
    image.decode(asked)
    height, width = image.feature_pixels.shape[:2]
    assert (width, fresh.shape) == (1024, (683, 1024, 3))
    assert height in {682, 683}
    assert np.abs(image.feature_pixels.astype(int) - fresh[:height]).mean() < 1.0


def test_a_glance_of_a_small_picture_is_the_picture() -> None:
    image = open_image(_file(_quarters(), "PNG"), source="a.png", max_pixels=10_000)
    assert np.array_equal(image.feature_pixels, image.pixels)
    assert np.array_equal(image.feature_pixels, image.pixels)
