"""Run the demo: start Label Studio and the backend, connect a project, and draft it.

With `once`, a scripted reviewer then submits annotations, and the log is shown.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar

from review_copilot.bootstrap.engines import thread_engine
from review_copilot.bootstrap.parts import backend_of
from review_copilot.bootstrap.process import Process, open_process
from review_copilot.demo import label_studio_server
from review_copilot.demo.backend_process import BackendProcess, running_backend
from review_copilot.demo.photographs import photographs
from review_copilot.demo.scripted_reviewer import (
    Result,
    ScriptedReviewer,
    chosen,
    drafted,
    drawn,
    moved,
    region_ids,
    reworded,
    without_region,
)
from review_copilot.domain.guideline import Severity
from review_copilot.domain.override import LoggedOverride, OverrideKind, Reason, Subject
from review_copilot.errors import CopilotError
from review_copilot.flows.learn_from_reviews import SimilarReviewNotes
from review_copilot.flows.packed_log import reading_of_log
from review_copilot.flows.preannotate import Progress, preannotate
from review_copilot.flows.review_context import rollout_of
from review_copilot.flows.study_project import Scope, study_project
from review_copilot.labelstudio import tag_names
from review_copilot.labelstudio.connect import ConnectOptions, connect, create_project
from review_copilot.reports.override_table import to_summary, to_table
from review_copilot.reports.study_markdown import first_screen
from review_copilot.settings import PREFIX, Settings, load_settings

TITLE = "Photo quality (demo)"
LOG_WITHIN_S = 60.0
"""Maximum wait for the log. It records a submission within a second or two; a busy machine may need longer."""


@dataclass(frozen=True)
class Demo:
    """A running demo.

    Attributes:
        server: Label Studio.
        backend: The backend's process.
        process: Parts with the same settings as the backend, to read the log.
        project_id: The demo's project.
        progress: Counts of the pre-annotation.
    """

    server: label_studio_server.LabelStudioServer
    backend: BackendProcess
    process: Process
    project_id: int
    progress: Progress


@contextmanager
def demo(*, home: Path, folder: Path | None, console: Console) -> Iterator[Demo]:
    """Run Label Studio and the backend with a drafted project during the block. Leaves no process behind.

    Args:
        home: Environment with Label Studio, or a folder to create one in.
        folder: Folder for databases and logs; None uses a temporary folder that is deleted at the end, unless the demo
            fails: the logs say why.
        console: Shows progress.
    """
    with _folder(folder) as where:
        environment = label_studio_server.install(home.absolute(), say=console.print)
        options = label_studio_server.ServerOptions()
        console.print("Starting Label Studio ...")
        with label_studio_server.running(
            environment, data=where / "label-studio", options=options, say=console.print
        ) as server:
            settings = demo_settings(
                server.url, token=server.account.legacy_token, port=label_studio_server.free_port(), folder=where
            )
            console.print("Starting the backend ...")
            with running_backend(environment=as_environment(settings), port=settings.port, folder=where) as backend:
                process = open_process(settings)
                try:
                    project_id = _project(process, folder=where, console=console)
                    progress = _draft(process, project_id, console=console)
                    yield Demo(server, backend, process, project_id, progress)
                finally:
                    process.close()


@contextmanager
def _folder(folder: Path | None) -> Iterator[Path]:
    """The folder, or a temporary one that stays if a part of the demo failed."""
    if folder is not None:
        yield folder.absolute()
        return
    temporary = Path(tempfile.mkdtemp(prefix="review-copilot-demo-"))
    try:
        yield temporary
    except CopilotError:
        raise
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    else:
        shutil.rmtree(temporary, ignore_errors=True)


def demo_settings(url: str, *, token: str, port: int, folder: Path) -> Settings:
    """Settings of a backend on loopback with a random password."""
    return load_settings(
        _env_file=None,
        label_studio_url=url,
        label_studio_token=token,
        database_url=f"sqlite:///{folder / 'review-copilot.db'}",
        host="127.0.0.1",
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        password=secrets.token_urlsafe(16),
        sweep_every_s=5.0,
    )


def as_environment(settings: Settings) -> dict[str, str]:
    """The environment variables that give a process the same settings."""
    plain = settings.model_dump(exclude_defaults=True)
    return {
        f"{PREFIX}{name.upper()}": str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)
        for name, value in plain.items()
    }


def _project(process: Process, *, folder: Path, console: Console) -> int:
    """Create and connect a project with the dozen photos."""
    console.print("Connecting a project ...")
    client, backend = process.required_label_studio.client, backend_of(process.settings)
    options = ConnectOptions(guideline=process.setup_of().guideline)
    project_id = create_project(client, title=TITLE, options=options)
    connect(client, project_id, backend=backend, options=options, secrets=process.webhook_secrets)
    pictures = folder / "photographs"
    pictures.mkdir(exist_ok=True)
    with Bar(console=console, transient=True) as bar:
        job = bar.add_task("uploading photos", total=12)
        for photograph in photographs():
            path = pictures / photograph.name
            path.write_bytes(photograph.data)
            client.upload(project_id, path)
            bar.advance(job)
    return project_id


def _draft(process: Process, project_id: int, *, console: Console) -> Progress:
    workspace = process.required_label_studio.opener.open(project_id)
    with Bar(console=console, transient=True) as bar:
        job = bar.add_task("drafting", total=None)

        def show(now: Progress) -> None:
            bar.update(job, completed=now.done, total=now.total)

        progress = preannotate(
            workspace,
            engine=thread_engine(process.settings, process.setup_of(workspace.key)),
            store=process.store,
            rollout=rollout_of(workspace.key, store=process.store, setup_of=process.setup_of),
            clock=process.clock,
            remind=SimilarReviewNotes(process.store),
            on_progress=show,
        )
    console.print(f"{progress.drafted} photos drafted with {progress.suggestions} suggestions.")
    return progress


def review_by_script(up: Demo, *, console: Console) -> None:
    """Confirm, edit, reject, and add regions as a reviewer would, through Label Studio's REST API."""
    reviewer = ScriptedReviewer(up.server.url, label_studio_server.signed_in(up.server))
    *tasks, flared = reviewer.tasks(up.project_id)
    with_draft = [task for task in tasks if region_ids(drafted(task))]
    # The draft that is edited must have a severity to raise.
    with_draft.sort(key=lambda task: not _below_critical(drafted(task)))
    actions: tuple[tuple[str, Callable[[list[Result]], list[Result]]], ...] = (
        ("submits the draft without changes", list),
        ("agrees with each suggestion", _agree),
        ("resizes a box, raises its severity, and edits the rationale", _edit),
        ("deletes a suggestion", _delete),
        ("marks a suggestion as not a defect", _not_a_defect),
    )
    if len(with_draft) < len(actions):
        raise CopilotError(f"Only {len(with_draft)} photos have suggestions, and the script needs {len(actions)}.")
    for task, (words, action) in zip(with_draft, actions, strict=False):
        reviewer.submit(task, action(drafted(task)))
        console.print(f"  the reviewer {words} (task {task['id']})")
    reviewer.submit(flared, _add(drafted(flared)))
    console.print(f"  the reviewer adds the lens flare, which no criterion covers (task {flared['id']})")


def wait_for_log(up: Demo, *, annotations: int) -> Sequence[LoggedOverride]:
    """Wait until the log has that many annotations, and return its rows.

    Raises:
        CopilotError: It does not have them within `LOG_WITHIN_S` seconds. The hint names the backend's log.
    """
    key = up.process.required_label_studio.opener.open(up.project_id).key
    deadline = time.monotonic() + LOG_WITHIN_S
    while time.monotonic() < deadline:
        rows = list(up.process.store.overrides(project=key))
        if len({row.annotation_id for row in rows}) >= annotations:
            return rows
        time.sleep(0.2)
    raise CopilotError(
        f"The override log did not record {annotations} annotations within {LOG_WITHIN_S:.0f} s.",
        hint=f"See the backend's log for the cause: {up.backend.log}",
    )


def show_log(rows: Sequence[LoggedOverride], *, console: Console) -> None:
    """Print the log as a table, with a summary."""
    console.print(to_table(row for row in rows if row.override.subject is Subject.REGION))
    console.print(to_summary(rows))


def show_report(up: Demo, *, console: Console) -> None:
    """Print the top of the report as text."""
    process = up.process
    key = process.required_label_studio.opener.open(up.project_id).key
    made = study_project(
        reading_of_log(process.store, key),
        process.store.draft_totals(key),
        project=key,
        guideline=process.setup_of(key).guideline,
        scope=Scope(),
        clock=process.clock,
    )
    console.print(first_screen(made), markup=False, highlight=False)


def closing_line(up: Demo, rows: Sequence[LoggedOverride]) -> str:
    """A summary of the run as one line of JSON."""
    kinds = Counter(row.override.kind for row in rows if row.override.subject is Subject.REGION)
    shown = (
        OverrideKind.UNTOUCHED,
        OverrideKind.CONFIRMED,
        OverrideKind.EDITED,
        OverrideKind.REJECTED,
        OverrideKind.ADDED,
    )
    first = up.progress.seconds_to_first
    return json.dumps(
        {
            "tasks": up.progress.total,
            "predictions": up.progress.stored,
            "suggestions": up.progress.suggestions,
            "overrides": {kind.value: kinds[kind] for kind in shown},
            "seconds_to_first_suggestion": None if first is None else round(first, 2),
        }
    )


def _agree(result: list[Result]) -> list[Result]:
    for region_id in region_ids(result):
        result = _reason(result, region_id, Reason.AGREE)
    return result


def _edit(result: list[Result]) -> list[Result]:
    region_id, severity = _below_critical(result)[-1]
    result = moved(result, region_id, by_percent=12)
    raised = next(one for one in Severity if one.rank == severity.rank + 1)
    choices = [tag_names.SEVERITY_CHOICES[raised]]
    result = chosen(result, region_id, tag=tag_names.SEVERITY, to_name=tag_names.IMAGE, choices=choices)
    return reworded(result, region_id, text="The lower right shows it most; the upper left is usable.")


def _below_critical(result: list[Result]) -> list[tuple[str, Severity]]:
    """Ids and severities of the boxes whose severity can be raised, in order."""
    said = {e["id"]: e["value"]["choices"][0] for e in result if e["from_name"] == tag_names.SEVERITY}
    known = {choice: severity for severity, choice in tag_names.SEVERITY_CHOICES.items()}
    severities = [(region_id, known[said[region_id]]) for region_id in region_ids(result) if region_id in said]
    return [(region_id, severity) for region_id, severity in severities if severity is not Severity.CRITICAL]


def _delete(result: list[Result]) -> list[Result]:
    return without_region(result, region_ids(result)[-1])


def _not_a_defect(result: list[Result]) -> list[Result]:
    return _reason(result, region_ids(result)[-1], Reason.NOT_A_DEFECT)


def _add(result: list[Result]) -> list[Result]:
    box = drawn(
        region_id=f"hand-{secrets.token_hex(4)}",
        tag=tag_names.LABEL,
        to_name=tag_names.IMAGE,
        label="Novel pattern",
        percent=(8.0, 62.0, 37.0, 25.0),
    )
    return [*result, box]


def _reason(result: list[Result], region_id: str, reason: Reason) -> list[Result]:
    choice = tag_names.REASON_CHOICES[reason]
    return chosen(result, region_id, tag=tag_names.REASONS, to_name=tag_names.IMAGE, choices=[choice])
