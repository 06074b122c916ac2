"""All measurements of one frame. Knows no threshold and no guideline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from photo_inspector.lettering.overlay import Lettering, lettering
from photo_inspector.marks.border import Bar, bars
from photo_inspector.marks.fibers import Fiber, fibers
from photo_inspector.marks.lines import Line, lines
from photo_inspector.marks.soft_patches import SharpnessMap, sharpness_map
from photo_inspector.marks.spots import Spot, spots
from photo_inspector.networks.sight import Sight, sight
from photo_inspector.networks.traces import traces
from photo_inspector.pixels.frame import Frame
from photo_inspector.whole_image.banding import Banding, banding
from photo_inspector.whole_image.chroma import Chroma, chroma
from photo_inspector.whole_image.coarse import Coarse, coarse
from photo_inspector.whole_image.color import Color, color
from photo_inspector.whole_image.compression import Compression, compression
from photo_inspector.whole_image.contrast import Contrast, contrast
from photo_inspector.whole_image.exposure import (
    Light,
    Patch,
    Tone,
    clipped_patches,
    crushed_patches,
    light,
    tone,
)
from photo_inspector.whole_image.noise import Noise, noise
from photo_inspector.whole_image.resolution import Resolution, resolution
from photo_inspector.whole_image.sharpness import Sharpness, sharpness
from photo_inspector.whole_image.tilt import Edges, Tilt, edges, lean_of

LEAST_PATCH_PERCENT = 0.6
"""Smaller clipped or crushed areas are not looked at."""


@dataclass(frozen=True, eq=False)
class Whole:
    """What is measured of the whole picture; each measurement is taken when it is first asked for."""

    frame: Frame

    @cached_property
    def sharpness(self) -> Sharpness:
        """Edges, and the loss of detail by direction."""
        return sharpness(self.frame)

    @cached_property
    def coarse(self) -> Coarse:
        """The same at the size of a screen."""
        return coarse(self.frame, self.sharpness)

    @cached_property
    def tone(self) -> Tone:
        """How light it is."""
        return tone(self.frame.small_gray)

    @cached_property
    def sight(self) -> Sight:
        """The estimates from a thumbnail."""
        return sight(self.frame.small_rgb)

    @cached_property
    def light(self) -> Light:
        """Whether it got too much light."""
        return light(self.frame, self.sight)

    @cached_property
    def noise(self) -> Noise:
        """How grainy it is."""
        return noise(self.frame)

    @cached_property
    def compression(self) -> Compression:
        """How strongly it was squeezed."""
        return compression(self.frame)

    @cached_property
    def color(self) -> Color:
        """Its tint."""
        return color(self.frame, self.sight)

    @cached_property
    def chroma(self) -> Chroma:
        """Its color statistics."""
        return chroma(self.frame)

    @cached_property
    def contrast(self) -> Contrast:
        """How much of the tonal range it uses."""
        return contrast(self.frame)

    @cached_property
    def banding(self) -> Banding:
        """How many tones are missing."""
        return banding(self.frame)

    @cached_property
    def resolution(self) -> Resolution:
        """How much detail it has for its size."""
        return resolution(self.frame)

    @cached_property
    def edges(self) -> Edges:
        """Where its straight edges lie."""
        return edges(self.frame)

    @cached_property
    def tilt(self) -> Tilt:
        """Which way it leans."""
        return lean_of(self.edges, self.sight.leans)


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
    fibers: tuple[Fiber, ...]


def measure_whole(frame: Frame) -> Whole:
    """Every image-wide measurement, for those who ask."""
    return Whole(frame)


def measure_places(frame: Frame, *, wanted: frozenset[str]) -> Places:
    """Every local measurement of which the name is wanted; the others come back empty."""
    seen = traces(frame) if wanted & {"overlay", "scratch", "dust"} else None
    return Places(
        bars=bars(frame.rgb) if "border" in wanted else (),
        clipped=clipped_patches(frame, least_percent=LEAST_PATCH_PERCENT) if "clipped_highlights" in wanted else (),
        crushed=crushed_patches(frame, least_percent=LEAST_PATCH_PERCENT) if "crushed_shadows" in wanted else (),
        softness=sharpness_map(frame) if "defocus" in wanted else SharpnessMap(0.0, 0.0, ()),
        lettering=lettering(frame, seen) if seen is not None and "overlay" in wanted else (),
        spots=spots(frame, seen) if seen is not None and "dust" in wanted else (),
        lines=lines(frame, seen) if seen is not None and "scratch" in wanted else (),
        fibers=fibers(frame, seen) if seen is not None and "scratch" in wanted else (),
    )
