"""Lay a reference over an image: scale, rotation, shift, then local drift. Knows no flaws and no guideline."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.reference.drift import drift
from photo_inspector.reference.planes import Gray, Mask, eroded, grain_of, gray_of, smoothed
from photo_inspector.reference.tone import toned
from review_copilot.plugin import Pixels

Affine = npt.NDArray[np.float64]
"""Shape (2, 3): takes a pixel's place in the image to its place in the reference."""

_WORK_SIDE_PX = 640
_TILE_PX = 64
_TILE_AGREES = 0.6
_LEAST_TEXTURE = 4.0
_FEATURES = 2000
_RATIO = 0.8  # Lowe 2004, section 7.1
_LEAST_INLIERS = 12


@dataclass(frozen=True, eq=False)
class Overlay:
    """A reference laid over an image.

    Attributes:
        reference: The reference resampled to the image's frame and exposure; RGB.
        valid: Where the reference has true pixels.
        affine: The global part of the alignment.
        agreement: Share of the textured tiles that look alike, 0..1; 1 when neither picture has texture.
    """

    reference: Pixels
    valid: Mask
    affine: Affine
    agreement: float


def overlay(image: Pixels, reference: Pixels) -> Overlay:
    """Align the reference with the image and match its exposure.

    Two first guesses compete, plain stretching with a shift by phase correlation, and a similarity from SIFT features
    with RANSAC; the one under which the pictures correlate better is refined by ECC maximization (Evangelidis and
    Psarakis, 2008) and then by local drift. Pixels of the reference are resampled once.

    Args:
        image: RGB, at least 32 px on each side.
        reference: RGB of any size, at least 32 px on each side.
    """
    image_gray, reference_gray = gray_of(image), gray_of(reference)
    affine = _global_affine(image_gray, reference_gray)
    places = _places(affine, image_gray.shape)
    rough, valid = _resampled(reference, places)
    moved = drift(image_gray, gray_of(toned(rough, image, valid)), valid)
    linear = affine[:, :2].astype(np.float32)
    fine, valid = _resampled(reference, np.asarray(places + moved @ linear.T, dtype=np.float32))
    matched = toned(fine, image, valid)
    return Overlay(matched, valid, affine, tile_agreement(image_gray, gray_of(matched), valid))


def tile_agreement(image: Gray, reference: Gray, valid: Mask) -> float:
    """Share of textured tiles whose correlation with the other picture is at least 0.6.

    Correlation within tiles, unlike over the whole frame, is not misled by a bright sky above a dark ground, and a
    flaw spoils only its own tile. Tiles are 64 px at a longer side of 640 px; a tile is textured when either picture
    deviates there by at least 4 levels of 255.
    """
    tile = round(_TILE_PX * grain_of(image.shape))
    tile = max(8, min(tile, min(image.shape) // 2))
    a, b = (smoothed(plane, 1.5 * grain_of(image.shape)) for plane in (image, reference))
    textured = alike = 0
    for y in range(0, image.shape[0] - tile + 1, tile):
        for x in range(0, image.shape[1] - tile + 1, tile):
            place = (slice(y, y + tile), slice(x, x + tile))
            inside = valid[place]
            if inside.mean() < 0.5 or max(a[place][inside].std(), b[place][inside].std()) < _LEAST_TEXTURE:
                continue
            textured += 1
            alike += _correlation(a[place], b[place], inside) >= _TILE_AGREES
    return alike / textured if textured else 1.0


def _global_affine(image: Gray, reference: Gray) -> Affine:
    """The affine under which the pictures correlate best, found at a longer side of at most 640 px."""
    small_image, image_scale = _shrunk(image)
    small_reference, reference_scale = _shrunk(reference)
    guesses: list[Affine] = [np.eye(2, 3)]
    if (stretch := _stretch(small_image, small_reference)) is not None:
        guesses.append(stretch)
    guesses += [_shifted(guess, small_image, small_reference) for guess in guesses]
    if (similarity := _similarity(small_image, small_reference)) is not None:
        guesses.append(similarity)
    best = max(guesses, key=lambda guess: _likeness(guess, small_image, small_reference))
    refined = _refined(best, small_image, small_reference)
    if _likeness(refined, small_image, small_reference) > _likeness(best, small_image, small_reference):
        best = refined
    result = best * image_scale / reference_scale
    result[:, 2] = best[:, 2] / reference_scale
    return np.asarray(result, dtype=np.float64)


def _shrunk(plane: Gray) -> tuple[Gray, float]:
    scale = min(1.0, _WORK_SIDE_PX / max(plane.shape))
    size = (max(1, round(plane.shape[1] * scale)), max(1, round(plane.shape[0] * scale)))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.float32), scale


def _stretch(image: Gray, reference: Gray) -> Affine | None:
    """Corner to corner; None when the aspects differ by more than 5 %, which no re-encoding does."""
    across, down = reference.shape[1] / image.shape[1], reference.shape[0] / image.shape[0]
    if abs(across / down - 1) > 0.05:
        return None
    return np.asarray([[across, 0.0, (across - 1) / 2], [0.0, down, (down - 1) / 2]])


def _shifted(guess: Affine, image: Gray, reference: Gray) -> Affine:
    """The guess with its shift corrected by phase correlation under a Hann window."""
    warped = _warped(guess, image, reference)
    window = cv2.createHanningWindow((image.shape[1], image.shape[0]), cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(image - image.mean(), warped - warped.mean(), window)
    corrected = guess.copy()
    corrected[:, 2] += guess[:, :2] @ (dx, dy)
    return corrected


def _similarity(image: Gray, reference: Gray) -> Affine | None:
    """Scale, rotation and shift from matched SIFT features; None when too few agree or the scale is absurd."""
    sift = cv2.SIFT.create(nfeatures=_FEATURES)
    (points_a, found_a), (points_b, found_b) = (
        sift.detectAndCompute(plane.astype(np.uint8), np.ones(plane.shape, np.uint8)) for plane in (image, reference)
    )
    if min(len(points_a), len(points_b)) < _LEAST_INLIERS:
        return None
    pairs = [pair for pair in cv2.BFMatcher().knnMatch(found_a, found_b, k=2) if len(pair) == 2]
    good = [first for first, second in pairs if first.distance < _RATIO * second.distance]
    if len(good) < _LEAST_INLIERS:
        return None
    source = np.asarray([points_a[match.queryIdx].pt for match in good], dtype=np.float32)
    target = np.asarray([points_b[match.trainIdx].pt for match in good], dtype=np.float32)
    cv2.setRNGSeed(0)
    affine, inliers = cv2.estimateAffinePartial2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=3.0)
    if np.count_nonzero(inliers) < _LEAST_INLIERS:
        return None
    scale = float(np.hypot(affine[0, 0], affine[1, 0]))
    return np.asarray(affine, dtype=np.float64) if 0.2 < scale < 5 else None


def _refined(guess: Affine, image: Gray, reference: Gray) -> Affine:
    """The guess refined to a full affine by ECC; the guess itself where ECC does not converge."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-5)
    start = guess.astype(np.float32)
    try:
        _, affine = cv2.findTransformECC(image, reference, start, cv2.MOTION_AFFINE, criteria, None, 5)  # type: ignore[call-overload]
    except cv2.error:  # OpenCV's way to say "no overlap or no convergence"
        return guess
    return np.asarray(affine, dtype=np.float64)


def _likeness(guess: Affine, image: Gray, reference: Gray) -> float:
    """Correlation of the pictures where they overlap under the guess, times the root of the share that overlaps."""
    warped = _warped(guess, image, reference)
    inside = _inside(_places(guess, image.shape), reference.shape)
    share = float(inside.mean())
    if share < 0.2:
        return -1.0
    return _correlation(smoothed(image, 1.5), smoothed(warped, 1.5), inside) * math.sqrt(share)


def _correlation(a: Gray, b: Gray, inside: Mask) -> float:
    """Pearson's r where `inside`; 0 when either is flat."""
    x: Gray = a[inside] - a[inside].mean()
    y: Gray = b[inside] - b[inside].mean()
    norm = float(np.linalg.norm(x)) * float(np.linalg.norm(y))
    return float(np.vdot(x, y)) / norm if norm > 1e-6 else 0.0


def _warped(affine: Affine, image: Gray, reference: Gray) -> Gray:
    size = (image.shape[1], image.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(reference, affine, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _places(affine: Affine, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """For each pixel of the image its (x, y) in the reference."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    a = affine.astype(np.float32)
    return np.stack([a[k, 0] * x + a[k, 1] * y + a[k, 2] for k in (0, 1)], axis=-1)


def _inside(places: npt.NDArray[np.float32], shape: tuple[int, ...]) -> Mask:
    x, y = places[..., 0], places[..., 1]
    return np.asarray((x >= -0.5) & (y >= -0.5) & (x <= shape[1] - 0.5) & (y <= shape[0] - 0.5))


def _resampled(reference: Pixels, places: npt.NDArray[np.float32]) -> tuple[Pixels, Mask]:
    """The reference seen from the image's frame, and where it has true pixels (a rim of one grain left out)."""
    x, y = (np.ascontiguousarray(places[..., k]) for k in (0, 1))
    seen = cv2.remap(reference, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, dtype=np.uint8), eroded(_inside(places, reference.shape), grain_of(places.shape))
