"""`review-copilot evaluate`, typed as a person types it, with a model server on loopback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from builders import a_review, a_suggestion, an_annotation, as_submitted
from command_line import Done, typed
from fake_clock import FakeClock
from fake_endpoint import FakeEndpoint, Turn, endpoint, finding, reply
from pictures import scene
from review_copilot.compare import compare
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Verdict
from review_copilot.domain.review import Exposure, ProjectKey, TaskKey
from review_copilot.domain.suggestion import Suggestion
from review_copilot.library import source_of_guideline
from review_copilot.store import open_store

IMAGES = 8
REGION = {"criterion": "PQ-01", "box": {"x": 48, "y": 64, "width": 96, "height": 64}, "severity": "major"}
LINE: dict[str, Any] = {
    "width": 480,
    "height": 320,
    "verdict": "discuss",
    "regions": [REGION | {"rationale": "A spot."}],
}
PRICES = "prices: [{match: -model, input: 10, cached: 1, output: 50, read: '2026-11'}]\n"
"""2000 prompt tokens, 1500 of them cached, and 100 completion tokens cost 1.15 cents."""
LOOKED_AT = ("PQ-01", "PQ-02", "uncovered")

Evaluate = Callable[..., Done]


def answering(turn: Turn) -> str:
    """A good model finds the spot on each image; b-model looks and finds nothing."""
    if turn.fields["model"] == "b-model":
        return reply(looked_at=LOOKED_AT)
    return reply(finding("PQ-01", [100, 200, 300, 400]), verdict="discuss", looked_at=LOOKED_AT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with reviewed images, prices, and a guideline of which a model judges everything."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(IMAGES):
        Image.fromarray(scene(seed=number)).save(photos / f"{number}.png")
    entries = [LINE | {"image": f"{number}.png"} for number in range(IMAGES)]
    (photos / "truth.jsonl").write_text("\n".join(map(json.dumps, entries)))
    (tmp_path / "prices.yaml").write_text(PRICES)
    raw = yaml.safe_load(source_of_guideline("photo-quality"))
    raw["criteria"] = [{**c, "measures": []} for c in raw["criteria"][:2]]
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(raw))
    return tmp_path


def evaluating(folder: Path, server: FakeEndpoint, *words: str, **settings: str) -> Done:
    given = {
        "inspector": "openai", "model": "a-model", "model_base_url": server.url, "model_prices": "prices.yaml",
        "guideline": "two.yaml",
    } | settings  # fmt: skip
    return typed("evaluate", *words, cwd=folder, **{f"REVIEW_COPILOT_{n.upper()}": v for n, v in given.items()})


def written(folder: Path) -> Any:
    return json.loads((folder / "evaluation.json").read_text("utf-8"))


def test_a_worse_model_fails_the_command_and_is_shown_in_crops(folder: Path) -> None:
    with endpoint(answering) as server:
        done = evaluating(folder, server, "photos", "--against", "model=b-model")
        asked = len(server.turns)
        back = evaluating(folder, server, "photos", "--set", "model=b-model", "--against", "model=a-model")
        assert (asked, len(server.turns)) == (2 * IMAGES, 2 * IMAGES), "the second run reads the kept drafts"
        better = written(folder)
    assert (done.returncode, back.returncode) == (1, 0), done.stderr + back.stderr
    assert "The other setup is worse. F1 on all 8 images: -100.0 points" in done.stdout
    assert "The other setup is better." in back.stdout
    good, bad = better["all"]["figures"][1], better["all"]["figures"][0]
    assert (good["f1"]["value"], bad["recall"]["value"], bad["precision"]["value"]) == (1.0, 0.0, None)
    assert (good["verdict_agreement"]["value"], good["severity_agreement"]["value"]) == (1.0, 1.0)
    assert good["cost_usd_per_image"]["value"] == pytest.approx(0.0115 * 9 / 8), "and one probe"
    assert good["rationale_words"]["value"] == 5
    assert 0 < good["seconds_per_image"]["low"] <= good["seconds_per_image"]["high"] < 5
    assert better["all"]["criteria"]["PQ-01"]["differences"]["f1"] is not None
    page = (folder / "evaluation.html").read_text("utf-8")
    assert page.count("data:image/jpeg;base64,") == 3 * IMAGES
    assert "<script" not in page
    assert "http://" not in page


def test_an_unchanged_setup_changes_nothing(folder: Path) -> None:
    with endpoint(answering) as server:
        first = evaluating(folder, server, "photos")
        pages = [(folder / f"evaluation.{ending}").read_bytes() for ending in ("html", "json")]
        asked = len(server.turns)
        again = evaluating(folder, server, "photos")
        assert [(folder / f"evaluation.{ending}").read_bytes() for ending in ("html", "json")] == pages
        same = evaluating(folder, server, "photos", "--against", "model=a-model")
        shutil.rmtree(folder / "review-copilot-evaluations")
        cached = evaluating(folder, server, "photos", "--against", "model=a-model")
        assert len(server.turns) == asked == IMAGES
    assert [d.returncode for d in (first, again, same, cached)] == [0, 0, 0, 0]
    assert "0 new drafts, 8 from earlier runs." in again.stderr
    assert "The same setup." in same.stdout
    found = written(folder)
    assert (found["outcome"], found["differing"]) == ("same", [])
    assert {(d["low"], d["high"]) for d in found["all"]["differences"].values()} <= {(0.0, 0.0), (None, None)}
    assert found["all"]["figures"][0]["cost_usd_per_image"]["value"] is None, "a cached reply costs nothing"


def test_a_run_stops_at_its_budget_and_continues_later(folder: Path) -> None:
    """A reservation is for the most that a call can cost, so a budget of 30 cents covers few of 16 calls."""
    with endpoint(answering) as server:
        words = ("photos", "--against", "model=b-model", "--concurrency", "1", "--out", "e.html")
        stopped = evaluating(folder, server, *words, "--budget", "0.3")
        paid = len(server.turns)
        assert 0 < paid < 2 * IMAGES
        assert paid * 0.0115 <= 0.3
        finished = evaluating(folder, server, *words)
        assert len(server.turns) == 2 * IMAGES, "nothing is asked twice"
    assert stopped.returncode == 1
    assert f"Stopped after {paid} of 16 drafts: The budget of $0.3" in stopped.stderr
    assert f"{2 * IMAGES - paid} new drafts" in finished.stderr


def test_prompts_and_guidelines_can_be_compared(folder: Path) -> None:
    (folder / "own").mkdir()
    shipped = Path(__file__).parents[3] / "prompts" / "inspect.system.md.j2"
    (folder / "own" / shipped.name).write_text(shipped.read_text("utf-8") + "\nLook twice.\n")
    with endpoint(answering) as server:
        done = evaluating(folder, server, "photos", "--against", "prompts=own")
        assert sorted("Look twice." in turn.system for turn in server.turns) == [False] * 8 + [True] * 8
        (folder / "one.yaml").write_text((folder / "two.yaml").read_text("utf-8").replace("Photo quality", "Other"))
        other = evaluating(folder, server, "photos", "--against", "guideline=one.yaml")
    assert (done.returncode, other.returncode) == (0, 0), done.stderr + other.stderr
    setups = written(folder)["setups"]
    assert setups[0]["guideline_revision"] != setups[1]["guideline_revision"]


def test_a_draft_that_failed_is_missed_and_an_image_that_cannot_be_read_is_left_out(folder: Path) -> None:
    (folder / "photos" / "0.png").write_bytes(b"no image")
    with endpoint(lambda turn: "No." if turn.fields["model"] == "b-model" else answering(turn)) as server:
        done = evaluating(folder, server, "photos", "--against", "model=b-model")
    assert done.returncode == 1
    assert "0.png is left out:" in done.stderr
    assert "7.png has no draft, which counts as missed:" in done.stderr
    found = written(folder)
    assert (found["all"]["images"], [setup["failed"] for setup in found["setups"]]) == (7, [0, 7])
    assert found["all"]["figures"][1]["recall"]["value"] == 0.0
    assert found["all"]["figures"][1]["cost_usd_per_image"]["value"] > 0.0115, "a failed draft is paid for too"


def test_a_changed_image_is_drafted_again(folder: Path) -> None:
    with endpoint(answering) as server:
        evaluating(folder, server, "photos", "--limit", "3")
        assert len(server.turns) == 3
        for number in range(IMAGES):
            Image.fromarray(scene(seed=90 + number)).save(folder / "photos" / f"{number}.png")
        evaluating(folder, server, "photos", "--limit", "3")
        assert len(server.turns) == 6


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Name either a folder with known defects or a project."),
        (("photos", "--project", "3"), "Name either a folder with known defects or a project."),
        (("nowhere",), "nowhere does not exist."),
        (("photos", "--against", "modle=b"), "'modle=b' is not a change of a setup."),
        (
            ("photos", "--set", "inspector=builtin", "--against", "model=b-model"),
            "The inspector builtin uses no model.",
        ),
        (("photos", "--against", "min-score=2"), "'2' is not a score."),
        (("photos", "--against", "prompts=nowhere"), "nowhere contains no prompt template."),
        (("photos", "--against", "guideline=none"), 'There is no guideline named "none".'),
        (("photos", "--against", "inspector=none"), "There is no inspector named 'none'."),
        (("photos", "--map", "dust"), "'dust' maps nothing."),
        (("photos", "--out", "nowhere/e.html"), "nowhere/e.html cannot be written"),
        (("--project", "3"), "The log has no data on project 3."),
    ],
)
def test_wrong_input_is_said_in_two_lines(words: tuple[str, ...], says: str, folder: Path) -> None:
    with endpoint(answering) as server:
        done = evaluating(folder, server, *words)
    assert done.returncode == 2
    assert says in done.stderr.splitlines()[-2]


KEY = ProjectKey("http://127.0.0.1:9", 3, "1760000000")


@pytest.fixture
def log_url(folder: Path) -> str:
    """A log of eight reviewed tasks: two of them are blind, one is skipped, and one has an outdated annotation."""
    url = f"sqlite:///{folder}/log.db"
    store = open_store(url, clock=FakeClock())
    spot = a_suggestion("s", box=Box(0.1, 0.2, 0.2, 0.2))
    for number in range(IMAGES):
        key = TaskKey(KEY, number + 1)
        exposure = Exposure.WITHHELD if number < 2 else Exposure.SHOWN
        own: Suggestion = replace(spot, id=f"s{number}")
        draft = replace(
            a_review(f"r{number}", own, key=key, exposure=exposure), image=f"/data/local-files/?d={number}.png"
        )
        store.remember([draft])
        done = an_annotation(as_submitted(own), annotation_id=number + 1, key=key, verdict=Verdict.DISCUSS)
        store.append(compare(replace(done, skipped=number == 7), store.recall(key)))
    early = an_annotation(annotation_id=90, key=TaskKey(KEY, 1), verdict=Verdict.PASS, updated_at=None)
    store.append(compare(early, store.recall(TaskKey(KEY, 1))))
    store.close()
    return url


def test_reviewed_tasks_of_the_log_are_evaluated_without_label_studio(folder: Path, log_url: str) -> None:
    """No token is set, and Label Studio's address is closed: everything comes from the log."""
    with endpoint(answering) as server:
        done = evaluating(
            folder, server, "--project", "3", "--against", "model=b-model",
            database_url=log_url, label_studio_url=KEY.instance, local_files_root=str(folder / "photos"),
        )  # fmt: skip
        assert len(server.turns) == 14
    assert done.returncode == 1, done.stderr
    assert "1 left out: the task was skipped." in done.stderr
    assert "1 left out: the task has a later annotation." in done.stderr
    found = written(folder)
    assert (found["all"]["images"], found["blind"]["images"]) == (7, 2)
    assert found["blind"]["figures"][0]["f1"]["value"] == 1.0
    assert sum(image["blind"] for image in found["differing"]) == 2
    assert "Blind images" in (folder / "evaluation.html").read_text("utf-8")
