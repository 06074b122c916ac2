"""All measurements of one frame, taken together. Knows no threshold and no guideline."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.inspectors.classical.banding import Banding, banding
from review_copilot.inspectors.classical.border import Bar, bars
from review_copilot.inspectors.classical.colour import Colour, colour
from review_copilot.inspectors.classical.compression import Compression, compression
from review_copilot.inspectors.classical.contrast import Contrast, contrast
from review_copilot.inspectors.classical.exposure import Patch, Tone, clipped_patches, crushed_patches, tone
from review_copilot.inspectors.classical.fibres import Fibre, fibres
from review_copilot.inspectors.classical.frame import Frame
from review_copilot.inspectors.classical.lines import Line, lines
from review_copilot.inspectors.classical.noise import Noise, noise
from review_copilot.inspectors.classical.overlay import Lettering, lettering
from review_copilot.inspectors.classical.patches import SharpnessMap, sharpness_map
from review_copilot.inspectors.classical.resolution import Resolution, resolution
from review_copilot.inspectors.classical.sharpness import Sharpness, sharpness
from review_copilot.inspectors.classical.spots import Spot, spots
from review_copilot.inspectors.classical.tilt import Tilt, tilt

LEAST_PATCH_PERCENT = 0.6
"""Smaller clipped or crushed areas are not looked at."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What is measured of the whole picture."""

    sharpness: Sharpness
    tone: Tone
    noise: Noise
    compression: Compression
    colour: Colour
    contrast: Contrast
    banding: Banding
    resolution: Resolution
    tilt: Tilt


@dataclass(frozen=True, slots=True)
class Places:
    """What is measured place by place; each tuple may be empty."""

    bars: tuple[Bar, ...]
    clipped: tuple[Patch, ...]
    crushed: tuple[Patch, ...]
    softness: SharpnessMap
    lettering: tuple[Lettering, ...]
    spots: tuple[Spot, ...]
    lines: tuple[Line, ...]
    fibres: tuple[Fibre, ...]


def measure_whole(frame: Frame) -> Whole:
    """Every image-wide measurement."""
    return Whole(
        sharpness=sharpness(frame),
        tone=tone(frame.small_grey),
        noise=noise(frame),
        compression=compression(frame),
        colour=colour(frame),
        contrast=contrast(frame),
        banding=banding(frame),
        resolution=resolution(frame),
        tilt=tilt(frame),
    )


def measure_places(frame: Frame, *, wanted: frozenset[str]) -> Places:
    """Every local measurement of which the name is wanted; the others come back empty."""
    return Places(
        bars=bars(frame.rgb) if "border" in wanted else (),
        clipped=clipped_patches(frame, least_percent=LEAST_PATCH_PERCENT) if "clipped_highlights" in wanted else (),
        crushed=crushed_patches(frame, least_percent=LEAST_PATCH_PERCENT) if "crushed_shadows" in wanted else (),
        softness=sharpness_map(frame) if "defocus" in wanted else SharpnessMap(0.0, 0.0, ()),
        lettering=lettering(frame) if "overlay" in wanted else (),
        spots=spots(frame) if "dust" in wanted else (),
        lines=lines(frame) if "scratch" in wanted else (),
        fibres=fibres(frame) if "scratch" in wanted else (),
    )
