"""Everything that an external inspector may import. External inspectors import nothing else of the product.

An inspector is an object that implements `Inspector`. A factory takes one `InspectorOptions` and returns an inspector.
Register the factory as an entry point of the group `ENTRY_POINT_GROUP`:

    [project.entry-points."review_copilot.inspectors"]
    mine = "my_package:create_inspector"

Check an inspector with `review_copilot.plugin.contract_suite.InspectorContract`.
"""

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Criterion, Guideline, Severity, SeverityAnchor, Verdict
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Brief, Dropped, Evidence, Finding, Inspection, Scope, Usage
from review_copilot.errors import (
    CopilotError,
    ImageError,
    ImageUnreadable,
    InspectorError,
    InspectorUnavailable,
)
from review_copilot.plugin.inspector_options import ENTRY_POINT_GROUP, InspectorOptions
from review_copilot.plugin.package_hash import draft_version, hash_of_package
from review_copilot.ports.inspecting import Inspector

__all__ = [
    "ENTRY_POINT_GROUP",
    "UNCOVERED",
    "Box",
    "Brief",
    "CopilotError",
    "Criterion",
    "Dropped",
    "Evidence",
    "Finding",
    "Guideline",
    "ImageError",
    "ImageUnreadable",
    "Inspection",
    "Inspector",
    "InspectorError",
    "InspectorOptions",
    "InspectorUnavailable",
    "Measure",
    "Pixels",
    "ReviewImage",
    "Scope",
    "Severity",
    "SeverityAnchor",
    "Usage",
    "Verdict",
    "draft_version",
    "hash_of_package",
]
