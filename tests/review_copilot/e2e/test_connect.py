"""Connecting projects of the real server to a backend, again and again, and taking it back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from review_copilot.bootstrap.parts import webhook_secrets_of
from review_copilot.bootstrap.reviewing import SystemClock
from review_copilot.demo import label_studio_server as ls
from review_copilot.errors import LabelConfigError, LabelStudioError, LabelStudioRefusesAddress
from review_copilot.flows.webhook_secrets import ProjectWebhookSecrets, derived_secret
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connect import (
    Backend,
    ConnectOptions,
    connect,
    create_project,
    disconnect,
)
from review_copilot.labelstudio.connection_report import Outcome
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.payloads import SECRET_HEADER
from review_copilot.labelstudio.transport import Transport
from review_copilot.labelstudio.webhook_setup import renew_webhook
from review_copilot.library import load_guideline
from review_copilot.settings import load_settings
from review_copilot.store import open_store
from web_server import Answer, Asked, serving

pytestmark = pytest.mark.labelstudio

WISH = ConnectOptions(guideline=load_guideline("photo-quality"))
OWN_CONFIG = """<View><Image name="pic" value="$image"/><RectangleLabels name="flaw" toName="pic">
<Label value="Noise"/><Label value="Tilt"/></RectangleLabels></View>"""


def _ml_backend(asked: Asked) -> Answer:
    """As little of a backend as Label Studio needs: /health for all, the rest for the right password."""
    right = "Basic " + base64.b64encode(b"copilot:right").decode()
    if asked.path != "/health" and asked.headers.get("Authorization") != right:
        return Answer(401, b"{}")
    return Answer(200, json.dumps({"status": "UP", "model_version": "one"}).encode())


@pytest.fixture
def backend() -> Iterator[Backend]:
    with serving(_ml_backend) as server:
        yield Backend(url=server.url, username="copilot", password="right", webhook_secret="hush")


@pytest.fixture
def project_id(label_studio_client: LabelStudioClient) -> Iterator[int]:
    """A project as a newcomer makes it: a title and nothing else."""
    project = label_studio_client.create_project(title="Connect test", label_config="<View></View>")
    yield project.id
    label_studio_client.delete_project(project.id)


@pytest.fixture
def secrets(tmp_path: Path) -> Iterator[ProjectWebhookSecrets]:
    settings = load_settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/log.db", password="right")
    store = open_store(settings.database_url, clock=SystemClock())
    yield webhook_secrets_of(settings, store=store, clock=SystemClock())
    store.close()


def secret_in(client: LabelStudioClient, project_id: int) -> str:
    """The secret that the project's only webhook sends."""
    (hook,) = client.webhooks(project_id)
    return hook.headers[SECRET_HEADER]


def test_a_project_gets_a_random_secret_that_lasts_until_it_is_disconnected(
    label_studio_client: LabelStudioClient, project_id: int, backend: Backend, secrets: ProjectWebhookSecrets
) -> None:
    own = replace(backend, webhook_secret="")
    connect(label_studio_client, project_id, backend=own, options=WISH, secrets=secrets)
    secret = secret_in(label_studio_client, project_id)
    assert secrets.projects_of(secret) == {project_id}
    assert connect(label_studio_client, project_id, backend=own, options=WISH, secrets=secrets).unchanged
    assert renew_webhook(label_studio_client, project_id, own, secrets=secrets)[0].outcome is Outcome.KEPT
    assert secret_in(label_studio_client, project_id) == secret
    disconnect(label_studio_client, project_id, backend_url=own.url, secrets=secrets)
    assert not secrets.projects_of(secret)
    assert renew_webhook(label_studio_client, project_id, own, secrets=secrets) == []
    assert label_studio_client.webhooks(project_id) == ()


def test_the_derived_secret_of_an_earlier_release_is_renewed(
    label_studio_client: LabelStudioClient, project_id: int, backend: Backend, secrets: ProjectWebhookSecrets
) -> None:
    old = derived_secret("right")
    connect(label_studio_client, project_id, backend=replace(backend, webhook_secret=old), options=WISH)
    assert secret_in(label_studio_client, project_id) == old
    assert secrets.accepts_derived(old, project_id)
    (step,) = renew_webhook(label_studio_client, project_id, replace(backend, webhook_secret=""), secrets=secrets)
    assert step.outcome is Outcome.CHANGED
    new = secret_in(label_studio_client, project_id)
    assert secrets.projects_of(new) == {project_id}
    assert not secrets.accepts_derived(old, project_id)


@pytest.mark.parametrize("earlier", ["derived", "random"])
def test_a_connection_that_fails_leaves_a_webhook_that_works(
    label_studio_client: LabelStudioClient,
    project_id: int,
    backend: Backend,
    secrets: ProjectWebhookSecrets,
    earlier: str,
) -> None:
    """The ML backend is rejected after the webhook got a new secret."""
    own = replace(backend, webhook_secret=derived_secret("right") if earlier == "derived" else "")
    connect(label_studio_client, project_id, backend=own, options=WISH, secrets=secrets)
    before, secret = label_studio_client.webhooks(project_id), secret_in(label_studio_client, project_id)
    (model,) = label_studio_client.ml_backends(project_id)
    label_studio_client.delete_ml_backend(model.id)
    wrong = replace(backend, webhook_secret="", password="wrong")
    with pytest.raises(LabelStudioError):
        connect(label_studio_client, project_id, backend=wrong, options=WISH, secrets=secrets)
    assert label_studio_client.webhooks(project_id) == before
    accepted = secrets.accepts_derived(secret, project_id) or project_id in secrets.projects_of(secret)
    assert accepted


def test_a_new_project_gets_everything_and_a_second_run_changes_nothing(
    label_studio_client: LabelStudioClient, project_id: int, backend: Backend
) -> None:
    first = connect(label_studio_client, project_id, backend=backend, options=WISH)
    assert [(step.part, step.outcome) for step in first.steps] == [
        ("label config", Outcome.MADE),
        ("instructions", Outcome.MADE),
        ("predictions", Outcome.KEPT),
        ("webhook", Outcome.MADE),
        ("ML backend", Outcome.MADE),
        ("label stream", Outcome.CHANGED),
    ]
    assert first.problems == ()
    second = connect(label_studio_client, project_id, backend=backend, options=WISH)
    assert second.unchanged, second.steps
    (hook,) = label_studio_client.webhooks(project_id)
    assert hook.headers == {SECRET_HEADER: "hush"}
    (model,) = label_studio_client.ml_backends(project_id)
    assert (model.auth_method, model.basic_auth_user, model.is_interactive) == ("BASIC_AUTH", "copilot", True)
    project = label_studio_client.project(project_id)
    assert project.show_instruction
    assert WISH.guideline.title in project.expert_instruction


def test_disconnect_takes_back_the_backend_and_the_webhook_only(
    label_studio_client: LabelStudioClient, project_id: int, backend: Backend
) -> None:
    other = {"project": project_id, "url": "http://127.0.0.1:9/other"}
    connect(label_studio_client, project_id, backend=backend, options=WISH)
    label_studio_client.add_webhook(other)
    report = disconnect(label_studio_client, project_id, backend_url=f"{backend.url}/")
    assert [step.outcome for step in report.steps] == [Outcome.REMOVED, Outcome.REMOVED, Outcome.KEPT]
    assert label_studio_client.ml_backends(project_id) == ()
    assert [hook.url for hook in label_studio_client.webhooks(project_id)] == [other["url"]]
    assert disconnect(label_studio_client, project_id, backend_url=backend.url).unchanged


def test_a_pinned_version_stays_pinned(
    label_studio_client: LabelStudioClient, project_id: int, backend: Backend
) -> None:
    label_studio_client.update_project(project_id, label_config=generate(WISH.guideline))
    label_studio_client.import_tasks(project_id, [{"image": "http://example.org/1.png"}])
    (task,) = label_studio_client.tasks(project_id)
    label_studio_client.import_predictions(project_id, [{"task": task["id"], "result": [], "model_version": "r1"}])
    label_studio_client.update_project(project_id, model_version="r1")
    report = connect(label_studio_client, project_id, backend=backend, options=WISH)
    assert report.steps[-1].detail == 'It shows "r1".'
    disconnect(label_studio_client, project_id, backend_url=backend.url)
    assert label_studio_client.project(project_id).model_version == "r1"


def test_what_others_began_is_mended_not_doubled(
    label_studio_client: LabelStudioClient, project_id: int, backend: Backend
) -> None:
    """Somebody added the backend twice by hand, with a stale password and no Magic: two models, a bare webhook."""
    label_studio_client.update_project(project_id, label_config=generate(WISH.guideline))
    fields = {"project": project_id, "url": backend.url, "auth_method": "BASIC_AUTH", "basic_auth_user": "copilot"}
    for _ in range(2):
        label_studio_client.add_ml_backend({**fields, "basic_auth_pass": "right", "title": "by hand"})
    label_studio_client.add_webhook({"project": project_id, "url": backend.webhook_url})
    assert [hook.headers for hook in label_studio_client.webhooks(project_id)] == [{}, {}]
    connect(label_studio_client, project_id, backend=backend, options=WISH)
    (hook,) = label_studio_client.webhooks(project_id)
    (model,) = label_studio_client.ml_backends(project_id)
    assert hook.headers[SECRET_HEADER] == "hush"
    assert model.is_interactive
    assert label_studio_client.project(project_id).model_version == "by hand"
    assert connect(label_studio_client, project_id, backend=backend, options=WISH).unchanged


def test_a_label_config_that_people_wrote_is_replaced_only_when_asked(
    label_studio_client: LabelStudioClient, project_id: int, backend: Backend
) -> None:
    label_studio_client.update_project(project_id, label_config=OWN_CONFIG, expert_instruction="Look hard.")
    report = connect(label_studio_client, project_id, backend=backend, options=WISH)
    assert [step.outcome for step in report.steps[:2]] == [Outcome.KEPT, Outcome.KEPT]
    assert any("no label for" in problem for problem in report.problems)
    project = label_studio_client.project(project_id)
    assert 'name="flaw"' in project.label_config
    assert project.expert_instruction == "Look hard."
    replaced = connect(label_studio_client, project_id, backend=backend, options=replace(WISH, replace_config=True))
    assert [step.outcome for step in replaced.steps[:2]] == [Outcome.CHANGED, Outcome.CHANGED]
    assert replaced.problems == ()


def test_a_label_config_without_boxes_stops_before_anything_is_changed(
    label_studio_client: LabelStudioClient, project_id: int, backend: Backend
) -> None:
    text_only = '<View><Text name="t" value="$text"/><Choices name="c" toName="t"><Choice value="a"/></Choices></View>'
    label_studio_client.update_project(project_id, label_config=text_only)
    with pytest.raises(LabelConfigError, match="--replace-config"):
        connect(label_studio_client, project_id, backend=backend, options=WISH)
    assert label_studio_client.webhooks(project_id) == ()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"password": "no-longer-right"}, "REVIEW_COPILOT_PASSWORD"),
        ({"url": "http://127.0.0.1:9"}, "Start the backend"),
    ],
)
def test_a_backend_that_cannot_be_added_says_why(
    label_studio_client: LabelStudioClient, project_id: int, backend: Backend, wrong: dict[str, str], says: str
) -> None:
    with pytest.raises(LabelStudioError, match=says) as caught:
        connect(label_studio_client, project_id, backend=replace(backend, **wrong), options=WISH)
    assert "no-longer-right" not in str(caught.value)
    connect(label_studio_client, project_id, backend=backend, options=WISH)


def test_a_fresh_installation_refuses_and_is_told_the_lines_that_allow_it(
    fresh_label_studio: ls.LabelStudioServer, fresh_personal_token: str, backend: Backend
) -> None:
    """With a personal access token, the only kind there."""
    with LabelStudioClient(Transport(fresh_label_studio.url, fresh_personal_token)) as client:
        project_id = create_project(client, title="Fresh", options=WISH)
        with pytest.raises(LabelStudioRefusesAddress) as caught:
            connect(client, project_id, backend=backend, options=WISH)
        assert "\n    ML_BLOCK_LOCAL_IP=false\n    SSRF_PROTECTION_ENABLED=false" in str(caught.value)
        assert client.webhooks(project_id) == ()


def test_a_personal_token_connects_as_well(
    label_studio: ls.LabelStudioServer, personal_token: str, project_id: int, backend: Backend
) -> None:
    with LabelStudioClient(Transport(label_studio.url, personal_token)) as client:
        connect(client, project_id, backend=backend, options=WISH)
        assert connect(client, project_id, backend=backend, options=WISH).unchanged
