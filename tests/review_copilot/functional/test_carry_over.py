"""A new roll-out carries drafts over where nothing that the model is told has changed: no call is made again."""

from __future__ import annotations

from pathlib import Path

from fake_endpoint import Turn, endpoint, finding, reply
from fake_label_studio import FakeWorkspace
from opened import opened
from pictures import noise_uris
from review_copilot.domain.review import ProjectKey
from review_copilot.flows.draft_project import DraftingTools, draft_project
from review_copilot.flows.preannotate import Progress
from review_copilot.settings import load_settings

KEY = ProjectKey("http://ls", 7, "1732360000")
TASKS = 6


def draft(workspace: FakeWorkspace, folder: Path, url: str, **settings: object) -> tuple[str, Progress]:
    """Draft under the roll-out that these settings make, and let go of the one before, as the command does."""
    shared = {"inspector": "openai", "model": "m", "model_base_url": url, "model_cache": folder / "replies"}
    copilot = opened(load_settings(_env_file=None, database_url=f"sqlite:///{folder}/log.db", **shared, **settings))
    tools = DraftingTools(engine=copilot.engine, learning=copilot.parts().learning, opener_of=copilot.process.opener_of)
    drafted = draft_project(workspace, rollout=copilot.rollout(KEY), tools=tools)
    copilot.store.close()
    return drafted.rollout, drafted.progress


def test_what_the_model_is_not_told_costs_no_call_and_what_it_is_told_costs_one_each(tmp_path: Path) -> None:
    """Another threshold makes another roll-out of the same answers; another length limit asks anew."""

    def model(_: Turn) -> str:
        return reply(finding("PQ-01", [100, 100, 400, 400], confidence=60))

    workspace = FakeWorkspace(KEY, dict(enumerate(noise_uris(TASKS), start=1)))
    with endpoint(model) as running:
        first, report = draft(workspace, tmp_path, running.url)
        assert (report.drafted, len(running.turns)) == (TASKS, TASKS)
        workspace.in_hand.add(3)
        second, report = draft(workspace, tmp_path, running.url, min_score=0.35)
        assert second != first
        assert (report.drafted, report.skipped, report.usage.calls) == (TASKS - 1, 1, 0)
        assert len(running.turns) == TASKS, "answers are carried over"
        shown = {p.task_id for p in workspace.predictions(rollout=second)}
        assert (workspace.pinned(), shown) == (second, set(workspace.images)), "task 3, which was begun, has a copy"
        _, report = draft(workspace, tmp_path, running.url, min_score=0.35, model_max_tokens=1000)
        assert report.usage.calls == TASKS - 1
