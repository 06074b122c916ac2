"""The built-in inspector. No model, no network.

A criterion of a guideline names the measurements that speak for it (`measures`). Each measurement has a strength:

| measurement | unit of its strength | strength |
|---|---|---|
| defocus | px of blur | standard deviation of the blur at the crisper edges |
| motion_blur | px of smear | length of the smear along its direction |
| over_exposure, under_exposure | stops | mean luminance above, below middle gray (18 %) |
| clipped_highlights, crushed_shadows | % of the picture | area without detail |
| noise | gray levels | standard deviation of the grain, of 255 |
| compression | % of detail lost | 100 minus the JPEG quality that leaves such blocks |
| banding | gray levels a step | height of the steps |
| colour_cast | Lab units | distance of neutral tones from gray |
| low_contrast | % of the range unused | what lies outside the 1st and 99th percentile |
| empty_frame | % of the range unused | always 100 |
| tilt | degrees | lean of what should be level or upright |
| border, overlay | % of the picture | area of all bars, of all lettering |
| dust, scratch | marks | number of spots, of lines |
| low_resolution, upscaling | times too coarse | 640 / longer side in px, enlargement factor |

A criterion whose `unit` is the measurement's unit decides severity by its own numbers; else the steps in `catalogue`
do.

From pixels to findings: `pixels` (one small pyramid) -> `whole_image`, `marks`, `lettering` and `networks` (numbers) ->
`scoring` (how likely, how strong, in which words) -> `measuring` (what the guideline asks for). `reference` compares an
image with the reference that its task names, `editing` looks for seams and copied patches. docs/inspector.md says how
all of it was fitted.

The product reaches this package by the entry point `builtin`; it imports nothing of the product but
`review_copilot.plugin`.
"""

from photo_inspector.inspector import create_inspector

__all__ = ["create_inspector"]
