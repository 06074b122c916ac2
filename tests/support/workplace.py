"""A copilot beside a real Label Studio, as an admin would set it up. Knows no browser and no expectation."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fake_label_studio import FakeInspector
from opened import OpenedCopilot, opened
from pictures import scene
from review_copilot.demo import label_studio_server as ls
from review_copilot.demo.backend_process import BackendProcess, running_backend
from review_copilot.demo.run_demo import as_environment, demo_settings
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels
from review_copilot.domain.override import LoggedOverride, Subject
from review_copilot.domain.suggestion import Finding
from review_copilot.engines.thread_engine import ThreadEngine
from review_copilot.flows.learn_from_reviews import SimilarReviewNotes
from review_copilot.flows.preannotate import Progress, preannotate
from review_copilot.labelstudio.connect import ConnectOptions, connect, create_project

LAMPS_PX = ((90, 80), (250, 220), (400, 90))
"""Centers of the white discs in `lamps`."""
LAMP_RADIUS_PX = 26
IMAGE_PX = (480, 320)
LAMP_BOXES = tuple(
    Box.from_corners(
        (x - LAMP_RADIUS_PX) / IMAGE_PX[0],
        (y - LAMP_RADIUS_PX) / IMAGE_PX[1],
        (x + LAMP_RADIUS_PX) / IMAGE_PX[0],
        (y + LAMP_RADIUS_PX) / IMAGE_PX[1],
    )
    for x, y in LAMPS_PX
)
LAMP_FINDINGS = tuple(
    Finding("PQ-05", Severity.MINOR, score, box, f"{where}: pure white over 1.4 % of the picture.")
    for box, where, score in zip(
        LAMP_BOXES, ("Upper left", "Lower center", "Upper right"), (0.9, 0.8, 0.7), strict=True
    )
)
NEVER_S = 3600.0
"""As the time between two sweeps: whatever reaches the log came by webhook."""


@dataclass(frozen=True)
class Workplace:
    """One copilot and its Label Studio.

    Attributes:
        server: Label Studio.
        copilot: The backend's settings in this process, for drafting and for reading the log.
        folder: Where database and logs are.
    """

    server: ls.LabelStudioServer
    copilot: OpenedCopilot
    folder: Path

    @property
    def backend_log(self) -> Path:
        """Everything that the backend has printed."""
        return self.folder / "backend.log"

    @contextmanager
    def backend(self) -> Iterator[BackendProcess]:
        """The backend's process, as long as the block."""
        settings = self.copilot.settings
        with running_backend(environment=as_environment(settings), port=settings.port, folder=self.folder) as backend:
            yield backend

    def connected_project(self, title: str, pictures: Mapping[str, Pixels], *, reviewers: int = 1) -> int:
        """A project with these pictures as uploads, tied to the running backend; returns its id.

        Args:
            title: At least 3 characters.
            pictures: File name to pixels; task ids rise in this order.
            reviewers: How many people review each task in the label stream.
        """
        client, options = self.copilot.client, ConnectOptions(guideline=self.copilot.guideline)
        project_id = create_project(client, title=title, options=options)
        connect(
            client,
            project_id,
            backend=self.copilot.backend,
            options=options,
            secrets=self.copilot.process.webhook_secrets,
        )
        client.update_project(project_id, maximum_annotations=reviewers)
        for name, pixels in pictures.items():
            file = self.folder / name
            file.write_bytes(png(pixels))
            client.upload(project_id, file)
        return project_id

    def draft(self, project_id: int, *, findings: tuple[Finding, ...] = LAMP_FINDINGS) -> Progress:
        """Store and pin a draft for each task: one clipped highlight at each of the lamps, whatever is measured.

        What reviewers do with drafts is tested with these; what the built-in inspector drafts, with the demo.
        """
        workspace, copilot = self.copilot.opener.open(project_id), self.copilot
        rollout = copilot.rollout(workspace.key)
        context = replace(copilot.context, inspector=FakeInspector(findings))
        return preannotate(
            workspace,
            engine=ThreadEngine(context, concurrency=2),
            store=copilot.store,
            rollout=rollout,
            clock=copilot.clock,
            remind=SimilarReviewNotes(copilot.store),
        )

    def definition(self, criterion_id: str) -> str:
        """The definition of a criterion of the copilot's guideline."""
        found = self.copilot.guideline.criterion(criterion_id)
        assert found is not None
        return found.definition

    def rows(self, project_id: int) -> list[LoggedOverride]:
        """What the log holds of a project now."""
        key = self.copilot.opener.open(project_id).key
        return list(self.copilot.store.overrides(project=key))

    def region_rows(self, project_id: int) -> list[LoggedOverride]:
        """What the log holds of a project now about regions."""
        return [row for row in self.rows(project_id) if row.override.subject is Subject.REGION]

    def wait_for(
        self, project_id: int, enough: Callable[[Sequence[LoggedOverride]], bool], *, within_s: float = 30.0
    ) -> list[LoggedOverride]:
        """The project's rows as soon as they are enough.

        Raises:
            AssertionError: They were not in time; names what was there.
        """
        deadline = time.monotonic() + within_s
        while not enough(rows := self.rows(project_id)):
            said = [f"{row.annotation_id}: {row.override.subject} {row.override.kind}" for row in rows]
            assert time.monotonic() < deadline, f"after {within_s} s the log has only {said}; see {self.backend_log}"
            time.sleep(0.1)
        return rows


@contextmanager
def workplace(server: ls.LabelStudioServer, *, token: str, folder: Path) -> Iterator[Workplace]:
    """A copilot for the server with a database and a password of its own; its backend is not running yet."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = demo_settings(server.url, token=token, port=ls.free_port(), folder=folder)
    copilot = opened(settings.model_copy(update={"sweep_every_s": NEVER_S}))
    try:
        yield Workplace(server, copilot, folder)
    finally:
        copilot.close()


def lamps(*, seed: int = 7) -> Pixels:
    """A good scene with three discs of pure white: a clipped highlight at each of `LAMPS_PX`, of `IMAGE_PX`."""
    pixels = scene(seed=seed)
    for center in LAMPS_PX:
        cv2.circle(pixels, center, LAMP_RADIUS_PX, (255, 255, 255), -1)
    return pixels


def png(pixels: Pixels) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(buffer, "PNG")
    return buffer.getvalue()
