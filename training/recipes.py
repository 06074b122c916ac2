"""Every way to plant a flaw, by name. Knows no inspector."""

from __future__ import annotations

from collections.abc import Callable

import plant_local as local
import plant_marks as marks
import plant_text as text
import plant_tone as tone
import plant_whole as whole
from planted import Plant
from review_copilot.domain.image import Pixels

PLANTS: dict[str, Plant] = {
    "defocus": whole.defocus,
    "defocus_patch": local.defocus_patch,
    "motion_blur": whole.motion_blur,
    "over_exposure": tone.over_exposure,
    "under_exposure": tone.under_exposure,
    "clipped_highlights": local.clipped_highlights,
    "crushed_shadows": local.crushed_shadows,
    "noise": whole.noise,
    "compression": whole.compression,
    "banding": tone.banding,
    "colour_cast": tone.colour_cast,
    "low_contrast": tone.low_contrast,
    "empty_frame": tone.empty_frame,
    "tilt": whole.tilt,
    "border": local.border,
    "overlay": text.overlay,
    "dust": marks.dust,
    "scratch": marks.scratch,
    "low_resolution": whole.low_resolution,
    "upscaling": whole.upscaling,
}

SHOWN_BY: dict[str, Callable[[Pixels], bool]] = {"tilt": whole.shows_lean}
"""Flaws that not every photograph can show, and which can; dust, scratches and lettering choose their places
themselves."""

IMPLIES: dict[str, frozenset[str]] = {
    "over_exposure": frozenset({"clipped_highlights", "low_contrast"}),
    "under_exposure": frozenset({"crushed_shadows", "low_contrast", "banding"}),
    "clipped_highlights": frozenset({"over_exposure"}),
    "crushed_shadows": frozenset({"under_exposure"}),
    "defocus": frozenset({"upscaling"}),
    "defocus_patch": frozenset({"defocus"}),
    "upscaling": frozenset({"defocus"}),
    "low_resolution": frozenset({"upscaling"}),
    "compression": frozenset({"banding"}),
    "low_contrast": frozenset({"over_exposure", "banding"}),
    "empty_frame": frozenset({"low_contrast", "defocus", "over_exposure", "under_exposure", "colour_cast"}),
    "colour_cast": frozenset({"clipped_highlights", "over_exposure"}),
}
"""What a planted flaw may rightly be taken for as well; neither hit nor false alarm."""
