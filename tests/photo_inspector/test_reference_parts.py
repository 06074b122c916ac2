"""The steps of a comparison one by one, on pictures with known answers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from photo_inspector.reference.align import overlay, tile_agreement
from photo_inspector.reference.copper import changes, copper_of
from photo_inspector.reference.drift import drift
from photo_inspector.reference.planes import Mask, clusters, grain_of, gray_of
from photo_inspector.reference.tone import tone_curve, toned
from photo_inspector.reference.topology import Defect, contacts, diagnose
from pictures import gained, scene


def everywhere(shape: tuple[int, ...]) -> Mask:
    return np.ones(shape[:2], dtype=np.bool_)


def strip(*, height: int = 120, width: int = 160, top: int = 50, bottom: int = 70) -> Mask:
    """One horizontal trace of 20 px."""
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[top:bottom] = True
    return mask


class TestTone:
    def test_a_gain_is_undone(self) -> None:
        pixels = scene()
        darker = gained(pixels, factor=0.6)
        matched = toned(pixels, darker, everywhere(pixels.shape))
        assert np.abs(matched.astype(int) - darker).mean() < 1.5

    def test_the_curve_never_falls(self) -> None:
        """Even where chance makes the medians of neighboring bins fall."""
        random = np.random.default_rng(1)
        source, target = (random.integers(0, 256, 4000).astype(np.uint8) for _ in range(2))
        assert (np.diff(tone_curve(source, target)) >= 0).all()

    def test_a_changed_object_does_not_bend_the_curve(self) -> None:
        source = np.tile(np.arange(256, dtype=np.uint8), 100)
        target = source.copy()
        target[:6000] = 200
        assert np.abs(tone_curve(source, target) - np.arange(256)).max() <= 8


class TestDrift:
    @pytest.mark.parametrize(("dx", "dy"), [(3, 0), (-2, 4), (0, 0)])
    def test_a_shift_is_measured_everywhere(self, dx: int, dy: int) -> None:
        image = gray_of(scene())
        reference = np.roll(image, (dy, dx), axis=(0, 1))
        field = drift(image, reference, everywhere(image.shape))
        assert np.median(field[..., 0]) == pytest.approx(dx, abs=0.3)
        assert np.median(field[..., 1]) == pytest.approx(dy, abs=0.3)

    def test_a_flat_reference_has_none(self) -> None:
        image = gray_of(scene())
        assert not drift(image, np.full_like(image, 90), everywhere(image.shape)).any()


class TestOverlay:
    @pytest.mark.parametrize(("turn_deg", "scale", "shift_px"), [(0, 1, 25), (3, 1, 0), (-2, 1.08, 10)])
    def test_the_reference_lands_on_the_image(self, turn_deg: float, scale: float, shift_px: float) -> None:
        reference = scene()
        height, width = reference.shape[:2]
        matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, scale), np.float64)
        matrix[:, 2] += shift_px
        image = np.asarray(cv2.warpAffine(reference, matrix, (width, height)), np.uint8)
        laid = overlay(image, reference)
        inside = laid.valid
        assert laid.agreement > 0.9
        assert inside.mean() > 0.7
        assert np.abs(laid.reference[inside].astype(int) - image[inside]).mean() < 6

    def test_two_scenes_do_not_agree(self) -> None:
        assert overlay(scene(seed=1), scene(seed=2)).agreement < 0.2

    def test_pictures_without_texture_agree(self) -> None:
        flat = np.full((200, 200), 90, np.float32)
        assert tile_agreement(flat, flat + 20, everywhere(flat.shape)) == 1.0


class TestTopology:
    @pytest.mark.parametrize(
        ("rows", "columns", "added", "kind"),
        [
            ((50, 70), (60, 72), False, Defect.OPEN),
            ((50, 58), (60, 72), False, Defect.MOUSEBITE),
            ((56, 63), (60, 72), False, Defect.PIN_HOLE),
            ((70, 80), (60, 68), True, Defect.SPUR),
            ((86, 92), (60, 72), True, Defect.SPURIOUS_COPPER),
            ((70, 100), (60, 68), True, Defect.SHORT),
        ],
    )
    def test_a_change_is_named_by_what_it_touches(
        self, rows: tuple[int, int], columns: tuple[int, int], *, added: bool, kind: Defect
    ) -> None:
        reference = strip() | strip(top=100, bottom=112)
        image = reference.copy()
        image[slice(*rows), slice(*columns)] = added
        gray, template = (np.where(mask, 10, 245).astype(np.float32) for mask in (image, reference))
        copper = copper_of(gray, template, everywhere(image.shape))
        assert copper is not None
        (change,) = changes(copper)
        assert change.added is added
        assert diagnose(change, copper).defect is kind

    def test_a_mousebite_takes_its_share_of_the_width(self) -> None:
        """8 of 20 px, to within two pixels on each."""
        reference = strip()
        image = reference.copy()
        image[50:58, 60:72] = False
        gray, template = (np.where(mask, 10, 245).astype(np.float32) for mask in (image, reference))
        copper = copper_of(gray, template, everywhere(image.shape))
        assert copper is not None
        (change,) = changes(copper)
        found = diagnose(change, copper)
        assert found.across_px == pytest.approx(8, abs=2)
        assert found.along_px == pytest.approx(12, abs=2)
        assert found.width_px == pytest.approx(20, abs=2)
        assert 30 <= found.taken_percent <= 50

    def test_contacts_are_counted_apart_and_measured(self) -> None:
        shore = strip(top=0, bottom=40) | strip(top=60, bottom=120)
        body = np.zeros_like(shore)
        body[40:60, 70:90] = True
        lengths = contacts(body, shore, grain=1.0)
        assert len(lengths) == 2
        assert lengths == pytest.approx((20, 20), abs=4)

    def test_a_body_far_from_the_shore_has_no_contact(self) -> None:
        body = strip(top=90, bottom=100)
        assert contacts(body, strip(), grain=1.0) == ()

    def test_a_picture_without_two_levels_has_no_copper(self) -> None:
        ramp = np.tile(np.linspace(0, 255, 200, dtype=np.float32), (200, 1))
        rough = ramp + np.random.default_rng(2).normal(0, 40, ramp.shape).astype(np.float32)
        assert copper_of(rough, rough, everywhere(rough.shape)) is None

    def test_edges_two_pixels_off_are_no_change(self) -> None:
        gray, template = (np.where(mask, 10, 245).astype(np.float32) for mask in (strip(top=49, bottom=71), strip()))
        copper = copper_of(gray, template, everywhere(gray.shape))
        assert copper is not None
        assert changes(copper) == ()


class TestPlanes:
    def test_near_pieces_are_one_cluster_and_far_ones_two(self) -> None:
        mask = np.zeros((40, 80), dtype=np.bool_)
        mask[10:14, 10:14] = mask[10:14, 18:22] = mask[10:14, 60:64] = True
        found = clusters(mask, gap_px=6)
        assert sorted((rows.start, columns.start, columns.stop) for rows, columns, _ in found) == [
            (10, 10, 22),
            (10, 60, 64),
        ]

    @pytest.mark.parametrize(("side", "grain"), [(64, 1.0), (640, 1.0), (1600, 2.5)])
    def test_tolerances_grow_with_the_picture_and_never_below_a_pixel(self, side: int, grain: float) -> None:
        assert grain_of((side // 2, side)) == grain
