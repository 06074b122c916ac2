"""Connect, pre-annotate, review, log: the main job on the real server, through its REST API."""

from __future__ import annotations

import base64
import re
from collections import Counter
from pathlib import Path

import pytest
import requests

from command_line import typed
from pictures import scene
from review_copilot.demo import label_studio_server as ls
from review_copilot.demo.run_demo import as_environment
from review_copilot.demo.scripted_reviewer import ScriptedReviewer, chosen, drafted, moved, region_ids, without_region
from review_copilot.domain.override import Aspect, OverrideKind, Subject
from review_copilot.flows.sweep import sweep_project
from review_copilot.labelstudio import tag_names
from review_copilot.labelstudio.connect import ConnectOptions, connect
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.transport import TokenKind
from workplace import Workplace, lamps, png, workplace

pytestmark = pytest.mark.labelstudio

COLLEAGUE = ls.Account(email="colleague@example.org")


def evaluates_without_a_trace(context: Workplace, reviewer: ScriptedReviewer, project_id: int) -> None:
    """Type `review-copilot evaluate`: it reads the reviews and the uploads, and leaves every task as it was."""
    before = reviewer.tasks(project_id)
    words = ("evaluate", "--project", str(project_id), "--against", "min-score=0.99")
    done = typed(*words, cwd=context.folder, **as_environment(context.copilot.settings))
    assert done.returncode == 0, done.stderr
    assert "6 new drafts, 0 from earlier runs." in done.stderr
    assert "3 images with 8 regions" in done.stdout, "one of nine was rejected"
    assert reviewer.tasks(project_id) == before


@pytest.mark.timeout(600)  # starts a server, which takes minutes on a crowded machine
@pytest.mark.parametrize("kind", [TokenKind.LEGACY, TokenKind.PERSONAL])
def test_the_main_job(kind: TokenKind, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """From a new project to the log: by a sweep while the backend is stopped, then by webhook."""
    if kind is TokenKind.LEGACY:
        server: ls.LabelStudioServer = request.getfixturevalue("label_studio")
        token = server.account.legacy_token
    else:
        server = request.getfixturevalue("personal_tokens_only")
        token = ls.personal_token(server)
    with workplace(server, token=token, folder=tmp_path) as context, ls.signed_in(server) as session:
        assert context.copilot.client.token_kind is kind
        with context.backend():
            project_id = context.connected_project("Main job", {f"{n}.png": lamps(seed=n) for n in range(3)})
            options = ConnectOptions(guideline=context.copilot.guideline)
            again = connect(
                context.copilot.client,
                project_id,
                backend=context.copilot.backend,
                options=options,
                secrets=context.copilot.process.webhook_secrets,
            )
            assert again.unchanged
            parts = (context.copilot.client.ml_backends(project_id), context.copilot.client.webhooks(project_id))
            assert tuple(map(len, parts)) == (1, 1)
        progress = context.draft(project_id)
        assert (progress.stored, progress.failures) == (3, {})
        assert context.draft(project_id).skipped == 3
        workspace = context.copilot.opener.open(project_id)
        assert workspace.pinned() == context.copilot.rollout(workspace.key)

        reviewer = ScriptedReviewer(server.url, session)
        first, second, third = reviewer.tasks(project_id)
        draft = drafted(first)
        edited, rejected, *untouched = region_ids(draft)
        draft = without_region(moved(draft, edited, by_percent=4), rejected)
        severe = chosen(draft, edited, tag=tag_names.SEVERITY, to_name=tag_names.IMAGE, choices=["critical"])
        reviewer.submit(first, severe, lead_time_s=31)
        reviewer.submit(second, drafted(second))

        swept = sweep_project(workspace, store=context.copilot.store)
        assert (swept.annotations, swept.revisions, swept.problems) == (2, 2, ())
        of_first = [row for row in context.region_rows(project_id) if row.key.task_id == first["id"]]
        assert {row.override.suggestion_id: row.override.kind for row in of_first} == {
            edited: OverrideKind.EDITED,
            rejected: OverrideKind.REJECTED,
            **dict.fromkeys(untouched, OverrideKind.UNTOUCHED),
        }
        edit = next(row for row in of_first if row.override.suggestion_id == edited)
        assert set(edit.override.edits) == {Aspect.PLACE, Aspect.SEVERITY}
        assert (edit.override.severity_from, edit.override.severity_to) == ("minor", "critical")
        assert edit.lead_time_s == 31
        assert edit.provenance is not None
        assert edit.provenance.rollout == workspace.pinned()
        assert edit.provenance.guideline_revision == context.copilot.guideline.revision
        of_second = [row.override.kind for row in context.region_rows(project_id) if row.key.task_id == second["id"]]
        assert of_second == [OverrideKind.UNTOUCHED] * len(region_ids(drafted(second)))

        before = context.rows(project_id)
        for repeated in (sweep_project(workspace, store=context.copilot.store, everything=e) for e in (False, True)):
            assert (repeated.annotations, repeated.revisions, repeated.rows, repeated.deleted) == (2, 0, 0, 0)
        assert context.rows(project_id) == before

        with context.backend():
            by_webhook = reviewer.submit(third, drafted(third))
            rows = context.wait_for(
                project_id, lambda rows: any(row.annotation_id == by_webhook for row in rows), within_s=20
            )
        assert {row.confirmed for row in rows} == {True}

        evaluates_without_a_trace(context, reviewer, project_id)


def test_each_row_names_the_person_who_did_it(workplace_in_use: Workplace) -> None:
    """Two people review one task from the label stream; then the second edits the first one's annotation."""
    project_id = workplace_in_use.connected_project("Two reviewers", {"lamps.png": lamps(seed=21)}, reviewers=2)
    workplace_in_use.draft(project_id)
    server = workplace_in_use.server
    with ls.signed_in(server) as one, ls.sign_up(server, COLLEAGUE) as two:
        people = [ScriptedReviewer(server.url, session) for session in (one, two)]
        ids = [_who(person) for person in people]
        (task,) = people[0].tasks(project_id)
        annotations = []
        for person in people:
            following = person.session.get(f"{server.url}/api/projects/{project_id}/next", timeout=60)
            assert following.json()["id"] == task["id"], "the label stream gives the task to both"
            annotations.append(person.submit(task, drafted(task)))
        rows = workplace_in_use.wait_for(project_id, lambda rows: len({row.annotation_id for row in rows}) == 2)
        assert {(row.annotation_id, row.author, row.editor) for row in rows} == {
            (annotation, who, who) for annotation, who in zip(annotations, ids, strict=True)
        }

        rejected, *_ = region_ids(drafted(task))
        result = without_region(drafted(task), rejected)
        url = f"{server.url}/api/annotations/{annotations[0]}/"
        people[1].session.patch(url, json={"result": result}, timeout=60).raise_for_status()
        rows = workplace_in_use.wait_for(project_id, lambda rows: any(row.revision == 2 for row in rows))
    assert {(row.annotation_id, row.author, row.editor) for row in rows} == {
        (annotations[0], ids[0], ids[1]),
        (annotations[1], ids[1], ids[1]),
    }
    assert [row.editor for row in rows if row.override.kind is OverrideKind.REJECTED] == [ids[1]]
    everything = list(workplace_in_use.copilot.store.overrides(project=rows[0].key.project, current=False))
    first_revision = {(row.author, row.editor) for row in everything if row.revision == 1}
    assert first_revision == {(ids[0], ids[0]), (ids[1], ids[1])}


def test_retrieving_predictions_of_60_tasks_with_two_broken_images(workplace_in_use: Workplace) -> None:
    """One request for all of them: 58 get a prediction, and the backend's log says why two do not."""
    client = workplace_in_use.copilot.client
    project_id = workplace_in_use.connected_project("Sixty tasks", {})
    good = _data_uri(png(scene(width_px=96, height_px=64)))
    images = [good] * 60
    images[17] = _data_uri(b"<html>not found</html>")
    images[41] = f"{workplace_in_use.server.url}/data/upload/{project_id}/gone.png"
    assert client.import_tasks(project_id, [{"image": image} for image in images]) == 60
    ids = sorted(workplace_in_use.copilot.opener.open(project_id).task_ids())
    broken = [ids[17], ids[41]]
    said_before = len(workplace_in_use.backend_log.read_text("utf-8"))

    with ls.signed_in(workplace_in_use.server) as session:
        answer = _data_manager_action(session, workplace_in_use.server.url, project_id)
    assert answer["processed_items"] == 60

    rollout = workplace_in_use.copilot.rollout(workplace_in_use.copilot.opener.open(project_id).key)
    counts = client.model_versions(project_id)
    assert {version: count for version, count in counts.items() if count} == {rollout: 58}
    with_draft = {
        found.task_id for found in workplace_in_use.copilot.opener.open(project_id).predictions(rollout=rollout)
    }
    assert with_draft == set(ids) - set(broken)
    said = workplace_in_use.backend_log.read_text("utf-8")[said_before:]
    complaints = re.findall(r"Task (\d+) has no draft: (.+)", said)
    assert sorted(int(task_id) for task_id, _ in complaints) == broken
    reasons = {int(task_id): reason for task_id, reason in complaints}
    assert "image" in reasons[broken[0]]
    assert "does not have" in reasons[broken[1]]
    assert "Traceback" not in said


def test_a_skipped_and_a_deleted_annotation_are_in_the_log(workplace_in_use: Workplace) -> None:
    """A skip is a row of its own; a deletion takes the annotation's rows out of the current view."""
    project_id = workplace_in_use.connected_project(
        "Skip and delete", {f"{n}.png": lamps(seed=30 + n) for n in range(2)}
    )
    workplace_in_use.draft(project_id)
    with ls.signed_in(workplace_in_use.server) as session:
        reviewer = ScriptedReviewer(workplace_in_use.server.url, session)
        skipped, deleted = reviewer.tasks(project_id)
        url = f"{workplace_in_use.server.url}/api/tasks/{skipped['id']}/annotations"
        session.post(url, json={"result": [], "was_cancelled": True}, timeout=60).raise_for_status()
        annotation_id = reviewer.submit(deleted, drafted(deleted))
        workplace_in_use.wait_for(project_id, lambda rows: len({row.key.task_id for row in rows}) == 2)
        workplace_in_use.copilot.client.delete_annotation(annotation_id)
    rows = workplace_in_use.wait_for(project_id, lambda rows: {row.key.task_id for row in rows} == {skipped["id"]})
    assert Counter(row.override.subject for row in rows)[Subject.TASK] == 1
    everything = workplace_in_use.copilot.store.overrides(project=rows[0].key.project, current=False)
    assert {row.deleted for row in everything if row.annotation_id == annotation_id} == {True}


def test_regions_of_a_document_are_on_their_page(workplace_in_use: Workplace) -> None:
    """Three pages in one task: each is drafted, and what is submitted on the third stays tied to its draft there."""
    project_id = workplace_in_use.connected_project("Document", {f"page{n}.png": lamps(seed=60 + n) for n in range(3)})
    client = workplace_in_use.copilot.client
    with ls.signed_in(workplace_in_use.server) as session:
        reviewer = ScriptedReviewer(workplace_in_use.server.url, session)
        uploads = [task["data"]["image"] for task in reviewer.tasks(project_id)]
        config = generate(workplace_in_use.copilot.guideline).replace('value="$image"', 'valueList="$image"')
        client.update_project(project_id, label_config=config)
        client.import_tasks(project_id, [{"image": uploads}])
        assert workplace_in_use.draft(project_id).failures == {}
        document = reviewer.tasks(project_id)[-1]
        regions = [r for r in drafted(document) if r["type"] == "rectanglelabels"]
        assert Counter(r["item_index"] for r in regions) == {0: 3, 1: 3, 2: 3}
        last = next(r["id"] for r in regions if r["item_index"] == 2)
        annotation_id = reviewer.submit(document, moved(drafted(document), last, by_percent=4))
    rows = workplace_in_use.wait_for(project_id, lambda rows: {r.annotation_id for r in rows} == {annotation_id})
    edited = [row.override for row in rows if row.override.kind is OverrideKind.EDITED]
    assert [(row.suggestion_id, row.edits) for row in edited] == [(last, (Aspect.PLACE,))]
    stored = workplace_in_use.copilot.store.newest(rows[0].key)[annotation_id]
    assert Counter(region.page for region in stored.regions) == {0: 3, 1: 3, 2: 3}


def test_two_tasks_with_one_picture_say_so_and_stay_untouched(workplace_in_use: Workplace) -> None:
    """Both drafts name the other task; that they were replaced for it costs no suggestion its tie to the log."""
    pictures = {"one.png": lamps(seed=50), "other.png": scene(seed=90), "again.png": lamps(seed=50)}
    project_id = workplace_in_use.connected_project("Duplicates", pictures)
    assert workplace_in_use.draft(project_id).alike == 2
    with ls.signed_in(workplace_in_use.server) as session:
        reviewer = ScriptedReviewer(workplace_in_use.server.url, session)
        tasks = reviewer.tasks(project_id)
        texts = [
            [t for r in drafted(task) if r["from_name"] == "summary" for t in r["value"]["text"]] for task in tasks
        ]
        assert [len(task["predictions"]) for task in tasks] == [1, 1, 1]
        assert texts[0][0].endswith(f"The same file as task {tasks[2]['id']}.")
        assert texts[2][0].endswith(f"The same file as task {tasks[0]['id']}.")
        assert "task" not in texts[1][0]
        reviewer.submit(tasks[0], drafted(tasks[0]))
    rows = workplace_in_use.wait_for(project_id, lambda rows: len(rows) >= 3)
    assert {row.override.kind for row in rows} == {OverrideKind.UNTOUCHED}


def _who(person: ScriptedReviewer) -> str:
    """A person's user id, as rows name them."""
    answer = person.session.get(f"{person.url}/api/current-user/whoami", timeout=30)
    return str(answer.json()["id"])


def _data_uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _data_manager_action(session: requests.Session, url: str, project_id: int) -> dict[str, object]:
    """What the Data Manager sends for "Retrieve predictions" with all tasks ticked."""
    answer = session.post(
        f"{url}/api/dm/actions",
        params={"id": "retrieve_tasks_predictions", "project": str(project_id)},
        json={"project": str(project_id), "selectedItems": {"all": True, "excluded": []}},
        timeout=200,
    )
    answer.raise_for_status()
    said: dict[str, object] = answer.json()
    return said
