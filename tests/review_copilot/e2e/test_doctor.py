"""`doctor` on a real Label Studio: every fault is planted, and named with the line that fixes it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from builders import task_key
from command_line import typed
from model_server import WELL, serve
from pictures import noise_uris, scene
from review_copilot.bootstrap.doctor.check import Check, State
from review_copilot.bootstrap.doctor.examine import examine
from review_copilot.bootstrap.doctor.explain_task import explain
from review_copilot.bootstrap.doctor.server_checks import (
    backend_checks,
    clock_checks,
    database_checks,
    label_studio_checks,
)
from review_copilot.demo import label_studio_server as ls
from review_copilot.demo.run_demo import as_environment
from review_copilot.domain.review import Exposure
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connect import ConnectOptions, connect, create_project
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.transport import Transport
from review_copilot.settings import Settings
from web_server import Answer, Asked, serving
from workplace import Workplace, lamps

pytestmark = pytest.mark.labelstudio

OWN_CONFIG = """<View><Image name="pic" value="$image"/><RectangleLabels name="flaw" toName="pic">
<Label value="Noise"/><Label value="Tilt"/></RectangleLabels></View>"""


@pytest.fixture(autouse=True)
def _no_setting_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that tells the tests where Label Studio is would be reported as an unknown setting."""
    monkeypatch.delenv("REVIEW_COPILOT_TEST_LABEL_STUDIO_ENV", raising=False)


@pytest.fixture(scope="module")
def project_id(workplace_in_use: Workplace) -> int:
    """A connected project with two drafted uploads."""
    number = workplace_in_use.connected_project("Doctor", {"a.png": lamps(), "b.png": scene(seed=3)})
    workplace_in_use.draft(number)
    return number


def changed(work: Workplace, **settings: object) -> Settings:
    return work.copilot.settings.model_copy(update=settings)


def faults(checks: tuple[Check, ...]) -> Mapping[str, Check]:
    """The wrong ones by name."""
    return {check.name: check for check in checks if check.state is State.WRONG}


def examined(work: Workplace, project_id: int, **settings: object) -> Mapping[str, Check]:
    return faults(examine(changed(work, **settings), project_id=project_id))


def test_a_sound_project_has_no_fault(workplace_in_use: Workplace, project_id: int, tmp_path: Path) -> None:
    environment = as_environment(workplace_in_use.copilot.settings)
    done = typed("doctor", "--project", str(project_id), "--json", cwd=tmp_path, **environment)
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert {name: check for name, check in checks.items() if check["state"] == "wrong"} == {}
    assert done.returncode == 0
    assert {name for name, check in checks.items() if check["state"] == "right"} >= {
        "settings", "database", "Label Studio", "token", "clock", "public URL", "backend", "password",
        "webhook secret", "project", "address for models", "address for webhooks", "guideline", "label config",
        "ML backend", "webhook", "webhook delivery", "label stream", "image: upload", "model",
    }  # fmt: skip
    hooks = workplace_in_use.copilot.client.webhooks(project_id)
    assert len(hooks) == 1, "the webhook of the check is gone"
    table = typed("doctor", "--project", str(project_id), cwd=tmp_path, **environment)
    assert "No fault found." in table.stdout


def test_faults_of_the_settings(workplace_in_use: Workplace, tmp_path: Path) -> None:
    environment = as_environment(workplace_in_use.copilot.settings)
    done = typed("doctor", cwd=tmp_path, REVIEW_COPILOT_PASWORD="hush", **environment)
    assert done.returncode == 1
    assert "REVIEW_COPILOT_PASWORD is not a setting" in done.stdout
    assert "fix  Rename it to REVIEW_COPILOT_PASSWORD, or remove it.\n" in done.stdout
    assert "hush" not in done.stdout
    malformed = typed("doctor", cwd=tmp_path, **{**environment, "REVIEW_COPILOT_PORT": "many"})
    assert malformed.returncode == 2
    assert "REVIEW_COPILOT_PORT is invalid" in malformed.stderr


@pytest.mark.parametrize(
    ("fault", "name", "found", "fix"),
    [
        ({"password": SecretStr("no longer right")}, "password", "rejects the password", "REVIEW_COPILOT_PASSWORD"),
        ({"webhook_secret": SecretStr("new")}, "webhook secret", "rejects the webhook secret", "_WEBHOOK_SECRET"),
        ({"public_url": "http://127.0.0.1:1"}, "backend", "nothing listens there", "review-copilot serve"),
        ({"public_url": "http://0.0.0.0:9090"}, "public URL", "not an address", "REVIEW_COPILOT_PUBLIC_URL="),
        ({"label_studio_token": SecretStr("")}, "token", "No Label Studio token", "REVIEW_COPILOT_LABEL_STUDIO_TOKEN="),
        ({"label_studio_token": SecretStr("0" * 40)}, "token", "rejected the token", "Account & Settings"),
        ({"label_studio_url": "http://127.0.0.1:1"}, "Label Studio", "Cannot reach", "Check that it is running"),
        ({"instance": "elsewhere"}, "backend's server", "your settings name elsewhere", "Restart the backend"),
        ({"database_url": "sqlite:////nowhere/at/all.db"}, "database", "cannot", ""),
        ({"inspector": "openai"}, "model", "has no model", "REVIEW_COPILOT_MODEL="),
        (
            {"inspector": "hybrid", "model": "m", "model_base_url": "http://127.0.0.1:1/v1"},
            "model",
            "m at http://127.0.0.1:1/v1",
            "REVIEW_COPILOT_MODEL_BASE_URL",
        ),
    ],
)
def test_faults_of_the_installation(
    workplace_in_use: Workplace, fault: Mapping[str, object], name: str, found: str, fix: str
) -> None:
    wrong = faults(examine(changed(workplace_in_use, **fault)))
    assert name in wrong, wrong
    assert found in wrong[name].found
    assert fix in wrong[name].fix


def test_a_server_without_this_release_a_slow_backend_a_wrong_clock_and_a_full_disk(
    workplace_in_use: Workplace,
) -> None:
    """What cannot be planted in the shared server, over loopback and with the real clock and the real disk."""
    copilot = workplace_in_use.copilot
    with serving(lambda _: Answer(200, b'{"release": "1.20.0"}')) as old:
        (check,) = label_studio_checks(LabelStudioClient(Transport(old.url, "0" * 40)))
    assert check.state is State.WRONG
    assert check.fix == f"pip install label-studio=={ls.VERSION}"

    def slow(asked: Asked) -> Answer:
        time.sleep(1.1 if asked.path == "/webhook" else 0)
        return Answer(
            200,
            json.dumps({"version": "1", "label_studio": copilot.process.instance.name, "status": "ignored"}).encode(),
        )

    with serving(slow) as server:
        settings = changed(workplace_in_use, public_url=server.url)
        wrong = faults(tuple(backend_checks(settings, replace(copilot.backend, url=server.url))))
    assert list(wrong) == ["webhook secret"]
    assert "Label Studio waits 1 s" in wrong["webhook secret"].found

    class LateClock:
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(minutes=5)

    (check,) = clock_checks(copilot.client, LateClock())
    assert check.state is State.WRONG
    assert "differ by 30" in check.found or "differ by 29" in check.found
    (check,) = database_checks(copilot.settings, least_free_bytes=2**60)
    assert check.state is State.WRONG
    assert str(workplace_in_use.folder) in check.fix


def test_a_public_url_on_loopback_is_wrong_for_a_server_elsewhere(workplace_in_use: Workplace) -> None:
    settings = changed(workplace_in_use, label_studio_url="https://labels.example.org")
    wrong = faults(tuple(backend_checks(settings, workplace_in_use.copilot.backend)))
    assert "is this machine only" in wrong["public URL"].found


def test_a_server_that_refuses_private_addresses_names_each_switch_and_the_narrow_alternative(
    workplace_in_use: Workplace, fresh_label_studio: ls.LabelStudioServer, fresh_personal_token: str
) -> None:
    options = ConnectOptions(guideline=workplace_in_use.copilot.guideline)
    with LabelStudioClient(Transport(fresh_label_studio.url, fresh_personal_token)) as client:
        number = create_project(client, title="Fresh doctor", options=options)
        wrong = examined(
            workplace_in_use,
            number,
            label_studio_url=fresh_label_studio.url,
            label_studio_token=SecretStr(fresh_personal_token),
        )
        assert client.webhooks(number) == (), "asking adds nothing"
        assert client.ml_backends(number) == ()
    models, webhooks = wrong["address for models"], wrong["address for webhooks"]
    assert "ML_BLOCK_LOCAL_IP=false" in models.fix
    assert "SSRF_PROTECTION_ENABLED=false" in webhooks.fix
    assert "USE_DEFAULT_BANNED_SUBNETS=false USER_ADDITIONAL_BANNED_SUBNETS=0.0.0.0/8,10.0.0.0/8" in models.fix
    assert "127.0.0.0/8" not in models.fix


def test_a_project_that_nobody_connected(workplace_in_use: Workplace) -> None:
    copilot = workplace_in_use.copilot
    number = create_project(copilot.client, title="Lonely", options=ConnectOptions(guideline=copilot.guideline))
    copilot.client.import_tasks(number, [{"image": image} for image in noise_uris(1)])
    wrong = examined(workplace_in_use, number)
    line = f"review-copilot connect --project {number}"
    assert set(wrong) == {"ML backend", "webhook", "label stream"}
    assert wrong["ML backend"].fix == line
    assert wrong["webhook"].fix == line
    assert "1 tasks open without a draft" in wrong["label stream"].found
    assert wrong["label stream"].fix == f"review-copilot preannotate --project {number}"
    assert "did not find" in examined(workplace_in_use, 10**6)[f"project {10**6}"].found


def test_faults_of_a_connection(workplace_in_use: Workplace) -> None:
    """A webhook and an ML backend that somebody changed by hand."""
    client, backend = workplace_in_use.copilot.client, workplace_in_use.copilot.backend
    number = workplace_in_use.connected_project("Broken connection", {})
    (hook,) = client.webhooks(number)
    fields: dict[str, object] = {"url": hook.url, "actions": list(hook.actions), "send_for_all_actions": False}
    for change, name, found in (
        ({"headers": {"X-Review-Copilot-Secret": "old"}}, "webhook delivery", "rejects the secret"),
        ({"headers": hook.headers, "is_active": False}, "webhook", "turned off"),
        ({"is_active": True, "send_payload": False}, "webhook", "no payload"),
        ({"send_payload": True, "actions": ["ANNOTATION_CREATED"]}, "webhook", "does not report ANNOTATIONS_CREATED"),
    ):
        client.update_webhook(hook.id, {**fields, **change})
        wrong = examined(workplace_in_use, number)
        assert list(wrong) == [name], wrong
        assert found in wrong[name].found
        assert wrong[name].fix == f"review-copilot connect --project {number}"
    client.update_webhook(hook.id, fields)
    client.add_webhook({"project": number, "url": backend.webhook_url})
    assert "same URL" in examined(workplace_in_use, number)["webhook"].found


def test_a_backend_that_changes_its_password_or_stops(workplace_in_use: Workplace) -> None:
    client, copilot, accepts = workplace_in_use.copilot.client, workplace_in_use.copilot, [True]
    number = create_project(client, title="Fickle", options=ConnectOptions(guideline=copilot.guideline))

    def fickle(asked: Asked) -> Answer:
        return Answer(200 if accepts[0] or asked.path == "/health" else 401, b'{"status": "UP", "version": "1"}')

    with serving(fickle) as server:
        backend = replace(copilot.backend, url=server.url)
        connect(client, number, backend=backend, options=ConnectOptions(guideline=copilot.guideline))
        accepts[0] = False
        wrong = examined(workplace_in_use, number, public_url=server.url)
        assert "rejects the password that Label Studio has stored" in wrong["ML backend"].found
        assert "rejects the secret" in wrong["webhook delivery"].found
    wrong = examined(workplace_in_use, number, public_url=server.url)
    assert "Label Studio cannot reach" in wrong["ML backend"].found
    assert "nothing listens" in wrong["backend"].found


def test_faults_of_setup_guideline_and_label_config(
    workplace_in_use: Workplace, project_id: int, tmp_path: Path
) -> None:
    wrong = examined(workplace_in_use, project_id, guideline="generated-image")
    assert "Nothing examines" in wrong["guideline"].found
    assert wrong["guideline"].fix == f"review-copilot project set --project {project_id} --inspector hybrid"
    assert "no label for" in wrong["label config"].found
    assert wrong["label config"].fix == f"review-copilot connect --project {project_id} --replace-config"
    assert "not made with the current setup" in wrong["drafts"].found
    assert "no-such" in examined(workplace_in_use, project_id, guideline="no-such")["setup"].found
    client = workplace_in_use.copilot.client
    number = client.create_project(title="No boxes", label_config="<View></View>").id
    assert "no RectangleLabels tag" in examined(workplace_in_use, number)["label config"].found


def test_a_model_that_answers_is_right(workplace_in_use: Workplace, project_id: int) -> None:
    with serve(WELL) as server:
        settings = changed(workplace_in_use, inspector="hybrid", model="m", model_base_url=server.base_url)
        checks = {check.name: check for check in examine(settings, project_id=project_id)}
    assert checks["model"].state is State.RIGHT, checks["model"]


def test_faults_of_the_label_stream(workplace_in_use: Workplace) -> None:
    client = workplace_in_use.copilot.client
    number = workplace_in_use.connected_project("Label stream", {"one.png": lamps()})
    live = examined(workplace_in_use, number)["label stream"]
    assert "requests a draft when a task opens" in live.found
    workplace_in_use.draft(number)
    assert examined(workplace_in_use, number) == {}
    client.import_tasks(number, [{"image": image} for image in noise_uris(1)])
    missing = examined(workplace_in_use, number)["label stream"]
    assert "1 of 2 tasks have a draft" in missing.found
    assert missing.fix == f"review-copilot preannotate --project {number}"
    client.update_project(number, show_collab_predictions=False)
    hidden = [
        check for check in examine(workplace_in_use.copilot.settings, project_id=number) if "hides" in check.found
    ]
    assert [check.fix for check in hidden] == [f"review-copilot connect --project {number}"]


def test_one_image_of_each_kind_of_storage_is_tried(workplace_in_use: Workplace) -> None:
    client = workplace_in_use.copilot.client
    number = workplace_in_use.connected_project("Storages", {"one.png": scene()})
    images = (*noise_uris(1), "http://images.example.org/1.png", "s3://bucket/1.png", "/data/local-files/?d=a/1.png")
    client.import_tasks(number, [*({"image": image} for image in images), {"image": "", "other": "x"}])
    checks = {check.name: check for check in examine(workplace_in_use.copilot.settings, project_id=number)}
    states = {name: check.state for name, check in checks.items() if name.startswith("image")}
    assert states == {
        "image: upload": State.RIGHT,
        "image: data URI": State.RIGHT,
        "image: URL at images.example.org": State.WRONG,
        "image: s3 storage": State.WRONG,
        "image: local file": State.WRONG,
        "images": State.WRONG,
    }
    assert "REVIEW_COPILOT_ALLOWED_HOSTS=images.example.org" in checks["image: URL at images.example.org"].fix
    assert '1 tasks have no image in "$image"' in checks["images"].found


def test_a_task_is_explained_from_its_data_to_its_regions(workplace_in_use: Workplace, project_id: int) -> None:
    first, _ = sorted(task["id"] for task in workplace_in_use.copilot.client.tasks(project_id))
    checks = explain(workplace_in_use.copilot.process, project_id, task_id=first)
    assert faults(checks) == {}
    said = [(check.name, check.found) for check in checks]
    assert [name for name, _ in said] == ["task data", "image", "draft", *["suggestion"] * 3, "label stream"]
    assert "480 x 320 pixels" in said[1][1]
    assert "(PQ-05), minor, score 0.90" in said[3][1]
    assert said[-1][1].endswith("with 3 regions.")


def test_a_task_without_a_draft_is_explained(workplace_in_use: Workplace, tmp_path: Path) -> None:
    copilot = workplace_in_use.copilot
    number = workplace_in_use.connected_project("Unexplained", {"one.png": lamps()})
    draft_line = f"review-copilot preannotate --project {number}"
    broken = "data:image/png;base64,AAAA"
    copilot.client.import_tasks(number, [{"image": broken}, {"image": "", "other": "x"}])
    good, bad, empty = sorted(task["id"] for task in copilot.client.tasks(number))
    undrafted = faults(explain(copilot.process, number, task_id=good))
    assert undrafted["draft"].fix == undrafted["label stream"].fix == draft_line

    workplace_in_use.draft(number)
    failed = faults(explain(copilot.process, number, task_id=bad))
    assert set(failed) == {"image", "draft", "label stream"}
    assert "Drafting failed" in failed["draft"].found
    no_image = faults(explain(copilot.process, number, task_id=empty))
    assert "Its fields: image, other." in no_image["task data"].found

    (review,) = copilot.store.recall(task_key(good, project=copilot.opener.open(number).key))
    hidden = replace(review, id="0f" * 8, key=replace(review.key, task_id=bad), exposure=Exposure.WITHHELD)
    copilot.store.remember([replace(hidden, created_at=review.created_at + timedelta(minutes=1))])
    withheld = {check.name: check for check in explain(copilot.process, number, task_id=bad)}
    assert "the task is in the blind share" in withheld["draft"].found
    assert withheld["label stream"].state is State.RIGHT

    environment = as_environment(copilot.settings)
    words = ("doctor", "--project", str(number), "--task")
    assert typed(*words, str(good), cwd=tmp_path, **environment).returncode == 0
    assert typed(*words, str(bad), cwd=tmp_path, **environment).returncode == 1
    missing = typed(*words, "999999", cwd=tmp_path, **environment)
    assert f"Project {number} has no task 999999." in missing.stderr
    alone = typed("doctor", "--task", "1", cwd=tmp_path, **environment)
    assert (alone.returncode, "Add --project N" in alone.stderr) == (2, True)


def test_a_label_config_that_holds_no_label_of_a_suggestion_is_explained(workplace_in_use: Workplace) -> None:
    copilot = workplace_in_use.copilot
    number = workplace_in_use.connected_project("Own config", {"one.png": lamps()})
    without = generate(copilot.guideline).replace('value="Clipped highlights"', 'value="Glare"')
    assert 'value="Glare"' in without
    copilot.client.update_project(number, label_config=without)
    workplace_in_use.draft(number)
    (task,) = copilot.client.tasks(number)
    wrong = faults(explain(copilot.process, number, task_id=task["id"]))
    assert "Label Studio does not get the suggestion" in wrong["label config"].found
    assert wrong["label config"].fix == f"review-copilot connect --project {number} --replace-config"


def test_connect_with_another_password_stops_first(workplace_in_use: Workplace, tmp_path: Path) -> None:
    """Also before it creates a project, and before it changes a webhook that works."""
    client, environment = workplace_in_use.copilot.client, as_environment(workplace_in_use.copilot.settings)
    number = workplace_in_use.connected_project("Working", {})
    before = client.webhooks(number)
    for name in ("PASSWORD", "WEBHOOK_SECRET"):
        wrong = {**environment, f"REVIEW_COPILOT_{name}": "no longer right"}
        done = typed("connect", "--project", str(number), cwd=tmp_path, **wrong)
        assert done.returncode == 2
        assert f"REVIEW_COPILOT_{name}" in done.stderr
        assert "Nothing was changed." in done.stderr
    assert client.webhooks(number) == before
    assert typed("connect", "--project", str(number), cwd=tmp_path, **environment).returncode == 0
