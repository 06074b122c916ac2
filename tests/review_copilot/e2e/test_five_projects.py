"""Five projects, five guidelines, two inspectors, two models: one backend, one database, requests interleaved."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from command_line import Done, typed
from fake_endpoint import Turn, endpoint, reply
from opened import opened
from pictures import scene
from review_copilot.demo.backend_process import running_backend
from review_copilot.demo.label_studio_server import LabelStudioServer, free_port
from review_copilot.demo.run_demo import as_environment, demo_settings
from review_copilot.domain.review import TaskKey
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.library import source_of_guideline
from workplace import png

pytestmark = pytest.mark.labelstudio
TASKS = 2


@dataclass(frozen=True)
class Wanted:
    """What one project is connected with.

    Attributes:
        guideline: Shipped name, or "listing" for a team's own file.
        inspector: Which inspector.
        model: Name of the model connection; empty for none.
    """

    guideline: str
    inspector: str = "builtin"
    model: str = ""


WANTED = (
    Wanted("photo-quality"),
    Wanted("pcb"),
    Wanted("edited-photo"),
    Wanted("generated-image", "openai", "fast"),
    Wanted("listing", "openai", "strong"),
)


def models_file(folder: Path, urls: dict[str, str]) -> Path:
    """Two connections to two endpoints on loopback."""
    file = folder / "models.yaml"
    lines = (f"{name}: {{base_url: '{url}', model: {name}-model}}\n" for name, url in urls.items())
    file.write_text("".join(lines), encoding="utf-8")
    return file


def project_of(printed: str) -> int:
    """The id of the project that `connect` prints."""
    found = re.search(r"^Project (\d+)", printed, re.MULTILINE)
    assert found is not None, printed
    return int(found.group(1))


def retrieve_all_at_once(server: LabelStudioServer, project_ids: Sequence[int]) -> None:
    """Retrieve predictions in every project at the same time."""

    def retrieve(project_id: int) -> None:
        answers.append(
            requests.post(
                f"{server.url}/api/dm/actions",
                params={"id": "retrieve_tasks_predictions", "project": str(project_id)},
                json={"selectedItems": {"all": True, "excluded": []}, "ordering": []},
                headers={"Authorization": f"Token {server.account.legacy_token}"},
                timeout=120,
            ).status_code
        )

    answers: list[int] = []
    threads = [threading.Thread(target=retrieve, args=(project_id,)) for project_id in project_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * len(project_ids)


@pytest.mark.timeout(600)
def test_each_project_is_drafted_by_its_own_set_up(
    label_studio: LabelStudioServer, label_studio_client: LabelStudioClient, tmp_path: Path
) -> None:
    def no_flaw(turn: Turn) -> str:
        return reply(looked_at=turn.criteria)

    listing = tmp_path / "listing.yaml"
    listing.write_text(source_of_guideline("photo-quality").replace("PQ-", "LI-"), encoding="utf-8")
    with endpoint(no_flaw) as fast, endpoint(no_flaw) as strong:
        settings = demo_settings(
            label_studio.url, token=label_studio.account.legacy_token, port=free_port(), folder=tmp_path
        ).model_copy(update={"models": models_file(tmp_path, {"fast": fast.url, "strong": strong.url})})
        environment = as_environment(settings)

        def command(*words: str) -> Done:
            return typed(*words, cwd=tmp_path, **environment)

        projects: dict[int, Wanted] = {}
        with running_backend(environment=environment, port=settings.port, folder=tmp_path):
            for wanted in WANTED:
                guideline = str(listing) if wanted.guideline == "listing" else wanted.guideline
                words = ["connect", "--create", f"Setup {wanted.guideline}", "--guideline", guideline]
                words += ["--inspector", wanted.inspector, *(["--model", wanted.model] if wanted.model else [])]
                done = command(*words)
                assert done.returncode == 0, done.stderr
                assert f"guideline {wanted.guideline}, inspector {wanted.inspector}" in done.stdout
                projects[project_of(done.stdout)] = wanted
            for project_id in projects:
                for number in range(TASKS):
                    file = tmp_path / f"{project_id}-{number}.png"
                    file.write_bytes(png(scene(seed=10 * project_id + number)))
                    label_studio_client.upload(project_id, file)
            retrieve_all_at_once(label_studio, list(projects))
            for project_id in projects:
                done = command("preannotate", "--project", str(project_id))
                assert done.returncode == 0, done.stderr
        copilot = opened(settings)
        for project_id, wanted in projects.items():
            workspace = copilot.opener.open(project_id)
            keys = [TaskKey(workspace.key, task_id) for task_id in sorted(workspace.task_ids())]
            reviews = [copilot.store.recall(key)[-1] for key in keys]
            assert [r.provenance.guideline_id for r in reviews] == [wanted.guideline] * TASKS
            assert [r.provenance.inspector for r in reviews] == [wanted.inspector] * TASKS
            assert workspace.pinned().startswith(f"{wanted.guideline} r1 ")
        for name, running in (("fast", fast), ("strong", strong)):
            assert {turn.fields["model"] for turn in running.turns} == {f"{name}-model"}
            assert len(running.turns) == TASKS, "each task is asked about once"
        listed = command("project", "list").stdout
        assert all(wanted.guideline in listed for wanted in WANTED)
        copilot.close()
    for project_id in projects:
        label_studio_client.delete_project(project_id)
