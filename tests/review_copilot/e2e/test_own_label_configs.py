"""Label configs that people wrote: what is drafted, stored, submitted, and logged, on a real Label Studio."""

from __future__ import annotations

import base64

import pytest

from review_copilot.domain.override import OverrideKind
from review_copilot.flows.sweep import sweep_project
from workplace import LAMP_BOXES, Workplace, lamps, png

pytestmark = pytest.mark.labelstudio

BY_LABEL = """<View><Image name="image" value="$shots[1].url"/>
<RectangleLabels name="object" toName="image"><Label value="Person"/></RectangleLabels>
<RectangleLabels name="flaw" toName="image"><Label value="Noise"/><Label value="Clipped highlights"/></RectangleLabels>
<Choices name="noise_sev" toName="image" perRegion="true" whenTagName="flaw" whenLabelValue="Noise">
<Choice value="Minor"/><Choice value="Major"/><Choice value="Critical"/></Choices>
<Choices name="glare_sev" toName="image" perRegion="true" whenTagName="flaw" whenLabelValue="Clipped highlights">
<Choice value="Minor"/><Choice value="Major"/><Choice value="Critical"/></Choices></View>"""


def uri(seed: int) -> str:
    return "data:image/png;base64," + base64.b64encode(png(lamps(seed=seed))).decode()


def sweep(work: Workplace, project_id: int) -> None:
    sweep_project(work.copilot.opener.open(project_id), store=work.copilot.store)


def test_two_label_sets_an_indexed_image_and_a_severity_for_each_label(workplace_in_use: Workplace) -> None:
    client = workplace_in_use.copilot.client
    number = client.create_project(title="Own config", label_config=BY_LABEL).id
    client.import_tasks(number, [{"shots": [{"url": "http://127.0.0.1:1/none.png"}, {"url": uri(1)}]}])
    done = workplace_in_use.draft(number)
    assert (done.drafted, done.failures, done.stored) == (1, {}, 1)
    (task,) = client.tasks(number)
    (prediction,) = task["predictions"]
    assert {(result["type"], result["from_name"], result["to_name"]) for result in prediction["result"]} == {
        ("rectanglelabels", "flaw", "image"),
        ("choices", "glare_sev", "image"),
    }
    client.create_annotation(
        task["id"], {"result": prediction["result"], "parent_prediction": prediction["id"], "lead_time": 5.0}
    )
    sweep(workplace_in_use, number)
    rows = workplace_in_use.region_rows(number)
    assert [row.override.kind for row in rows] == [OverrideKind.UNTOUCHED] * len(LAMP_BOXES)
