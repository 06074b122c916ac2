"""The estimate behind `preannotate --dry-run`."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from builders import task_key
from opened import opened
from review_copilot.bootstrap.estimates import SAMPLE, estimate_run
from review_copilot.domain.review import ReviewTask
from review_copilot.errors import ImageUnreadable
from review_copilot.settings import load_settings


def tasks(count: int) -> list[ReviewTask]:
    file = io.BytesIO()
    Image.new("RGB", (1200, 900), "grey").save(file, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    return [ReviewTask(task_key(number), image=uri) for number in range(1, count + 1)]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("inspector", ["openai", "hybrid"])
def test_a_sample_stands_for_the_run_and_nothing_is_asked(inspector: str) -> None:
    settings = load_settings(inspector=inspector, model="gpt-5.5", model_base_url="http://127.0.0.1:9/v1")
    estimate = estimate_run(tasks(SAMPLE + 5), count=1000, settings=settings, setup=opened(settings).context)
    assert estimate is not None
    assert (estimate.images, estimate.calls) == (1000, 1000)
    assert estimate.image_tokens == 1000 * 922, "1024 x 768 px in patches of 32 px, times 1.2"
    uncached = estimate.prompt_tokens - estimate.cacheable_tokens
    by_hand_usd = (uncached * 5 + estimate.cacheable_tokens * 0.5 + estimate.completion_tokens * 30) / 1e6
    assert estimate.cost_usd == pytest.approx(by_hand_usd), "5, 0.5 and 30 dollars per million tokens"
    assert 5 < by_hand_usd < 50, "a few cents for each image"


def test_the_built_in_inspector_costs_nothing() -> None:
    settings = load_settings(inspector="builtin")
    assert estimate_run(tasks(1), count=10, settings=settings, setup=opened(settings).context) is None


def test_a_run_whose_images_cannot_be_read_has_no_estimate_and_names_them() -> None:
    """It must not look like a run that costs nothing."""
    settings = load_settings(inspector="openai", model="gpt-5.5", model_base_url="http://127.0.0.1:9/v1")
    setup = opened(settings).context
    named: list[int] = []
    unreadable = [ReviewTask(task_key(number), image="data:image/png;base64,AAAA") for number in (1, 2)]
    with pytest.raises(ImageUnreadable, match="cannot be estimated"):
        estimate_run(
            unreadable, count=2, settings=settings, setup=setup, on_unreadable=lambda task, _: named.append(task)
        )
    assert named == [1, 2]


def test_a_run_without_tasks_costs_nothing() -> None:
    settings = load_settings(inspector="openai", model="gpt-5.5", model_base_url="http://127.0.0.1:9/v1")
    estimate = estimate_run([], count=0, settings=settings, setup=opened(settings).context)
    assert estimate is not None
    assert (estimate.images, estimate.calls, estimate.cost_usd) == (0, 0, 0)
