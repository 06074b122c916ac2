"""Label configs that people wrote: what is drafted, stored, submitted, and logged, on a real Label Studio."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from command_line import typed
from review_copilot.demo.run_demo import as_environment
from review_copilot.domain.override import OverrideKind
from review_copilot.errors import LabelStudioError
from review_copilot.flows.sweep import sweep_project
from review_copilot.labelstudio.connect import ConnectOptions, connect
from workplace import LAMP_BOXES, Workplace, lamps, png

pytestmark = pytest.mark.labelstudio

BY_LABEL = """<View><Image name="image" value="$shots[1].url"/>
<RectangleLabels name="object" toName="image"><Label value="Person"/></RectangleLabels>
<RectangleLabels name="flaw" toName="image"><Label value="Noise"/><Label value="Clipped highlights"/></RectangleLabels>
<Choices name="noise_sev" toName="image" perRegion="true" whenTagName="flaw" whenLabelValue="Noise">
<Choice value="Minor"/><Choice value="Major"/><Choice value="Critical"/></Choices>
<Choices name="glare_sev" toName="image" perRegion="true" whenTagName="flaw" whenLabelValue="Clipped highlights">
<Choice value="Minor"/><Choice value="Major"/><Choice value="Critical"/></Choices>
<TextArea name="remarks" toName="image" copilot="guideline-note"/></View>"""


def uri(seed: int) -> str:
    return "data:image/png;base64," + base64.b64encode(png(lamps(seed=seed))).decode()


FOREIGN = """<View><Image name="image" value="$image"/>
<RectangleLabels name="object" toName="image"><Label value="Person"/></RectangleLabels>
<TextArea name="translation" toName="image"/></View>"""


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
    note = {"id": "n", "type": "textarea", "from_name": "remarks", "to_name": "image"}
    result = [*prediction["result"], note | {"value": {"text": ["Are lamps glare?"]}}]
    client.create_annotation(task["id"], {"result": result, "parent_prediction": prediction["id"], "lead_time": 5.0})
    sweep(workplace_in_use, number)
    logged = workplace_in_use.copilot.store.overrides()
    assert "Are lamps glare?" in {row.override.note for row in logged if row.key.project.project_id == number}
    rows = workplace_in_use.region_rows(number)
    assert [row.override.kind for row in rows] == [OverrideKind.UNTOUCHED] * len(LAMP_BOXES)


def test_a_config_is_tried_on_tasks_before_anything_is_changed(workplace_in_use: Workplace, tmp_path: Path) -> None:
    """A config without a label for any criterion is refused and drafts nothing, and --add-labels solves it."""
    client, copilot = workplace_in_use.copilot.client, workplace_in_use.copilot
    environment = as_environment(copilot.settings)
    number = client.create_project(title="Foreign labels", label_config=FOREIGN).id
    client.import_tasks(number, [{"image": uri(1)}, {"image": "", "other": 1}])
    words = ("connect", "--project", str(number))
    before = client.project(number)

    refused = typed(*words, cwd=tmp_path, **environment)
    assert refused.returncode == 2
    assert 'The tag "object" has no label for any criterion' in refused.stderr
    assert "--add-labels" in refused.stderr
    nothing = typed("preannotate", "--project", str(number), cwd=tmp_path, **environment)
    assert nothing.returncode == 2
    assert client.model_versions(number) == {}

    checked = typed(*words, "--add-labels", "--check", cwd=tmp_path, **environment)
    assert checked.returncode == 0, checked.stderr
    assert "Tried on 2 tasks: 1 have an image." in checked.stdout
    assert "boxes            -> object, with labels for 15 of 15 criteria" in checked.stdout
    assert client.project(number) == before
    assert client.webhooks(number) == ()

    done = typed(*words, "--add-labels", cwd=tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    config = client.project(number).label_config
    assert 'value="Person"' in config
    assert 'value="Noise"' in config
    drafted = workplace_in_use.draft(number)
    assert (drafted.suggestions, drafted.unstored) == (len(LAMP_BOXES), 0)


def test_counts_say_what_was_stored(workplace_in_use: Workplace) -> None:
    client = workplace_in_use.copilot.client
    number = client.create_project(title="One label", label_config=FOREIGN.replace("Person", "Noise")).id
    client.import_tasks(number, [{"image": uri(1)}])
    drafted = workplace_in_use.draft(number)
    assert (drafted.drafted, drafted.suggestions, drafted.unstored) == (1, 0, len(LAMP_BOXES))


def test_tasks_without_an_image_in_the_configs_value_are_refused(workplace_in_use: Workplace, tmp_path: Path) -> None:
    client = workplace_in_use.copilot.client
    number = workplace_in_use.connected_project("Wrong field", {})
    client.import_tasks(number, [{"image": "", "photo": uri(1)}])
    environment = as_environment(workplace_in_use.copilot.settings)
    done = typed("connect", "--project", str(number), cwd=tmp_path, **environment)
    assert done.returncode == 2
    assert 'None of 1 tasks has an image in "$image"' in done.stderr
    assert "image, photo" in done.stderr


def test_a_generated_config_follows_its_guideline_and_a_used_label_is_never_removed(
    workplace_in_use: Workplace, tmp_path: Path
) -> None:
    client = workplace_in_use.copilot.client
    environment = as_environment(workplace_in_use.copilot.settings)
    words = ("connect", "--create", "Follows", "--guideline", "pcb")
    made = typed(*words, cwd=tmp_path, **environment)
    assert made.returncode == 0, made.stderr
    number = int(made.stdout.split("Project ")[1].split()[0])
    done = typed("connect", "--project", str(number), "--guideline", "photo-quality", cwd=tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    assert "It was generated and not edited, and now matches" in done.stdout
    assert 'value="Noise"' in client.project(number).label_config

    client.import_tasks(number, [{"image": uri(1)}])
    workplace_in_use.draft(number)
    (task,) = client.tasks(number)
    (prediction,) = task["predictions"]
    client.create_annotation(task["id"], {"result": prediction["result"], "lead_time": 1.0})
    back = typed("connect", "--project", str(number), "--guideline", "pcb", cwd=tmp_path, **environment)
    assert back.returncode == 1
    assert "Label Studio rejected" in back.stderr
    assert 'value="Clipped highlights"' in client.project(number).label_config


def test_a_failure_after_a_partial_change_is_undone(workplace_in_use: Workplace) -> None:
    """The backend cannot be reached by Label Studio, which is found out last."""
    client, copilot = workplace_in_use.copilot.client, workplace_in_use.copilot
    number = client.create_project(title="Undone", label_config="<View></View>").id
    before = client.project(number)
    nobody = replace(copilot.backend, url="http://127.0.0.1:1")
    hook = client.add_webhook({"project": number, "url": nobody.webhook_url, "send_for_all_actions": True})
    with pytest.raises(LabelStudioError, match="cannot reach the backend"):
        connect(client, number, backend=nobody, options=ConnectOptions(guideline=copilot.guideline))
    assert client.project(number) == before
    assert client.webhooks(number) == (hook,)
    assert client.ml_backends(number) == ()
