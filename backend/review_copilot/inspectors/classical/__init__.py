"""The built-in inspector. No model, no network.

A criterion of a guideline names the measurements that speak for it (`measures`). Each measurement has a strength:

| measurement | unit of its strength |
|---|---|
| defocus | px of blur: standard deviation of the blur at the sharper edges |
| motion_blur | px of smear: length of the smear along its direction |
| over_exposure, under_exposure | stops between mean luminance and middle grey (18 %) |
| clipped_highlights, crushed_shadows, border | % of the picture |
| noise | grey levels (standard deviation, of 255) |
| compression | % of detail lost: 100 minus the JPEG quality that leaves such blocks |
| colour_cast | Lab units between the mean colour and grey |

A criterion whose `unit` is the measurement's unit decides severity by its own numbers; else the steps in `catalogue`
do.
"""

from review_copilot.inspectors.classical.inspector import ClassicalInspector

__all__ = ["ClassicalInspector"]
