"""The commands that concern models, run as a person runs them, against an endpoint on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from skimage import data

from fake_endpoint import Turn, endpoint, finding, reply
from review_copilot.inspectors.coordinates import Convention, Order, Unit
from review_copilot.inspectors.probe import targets

PRICES = "prices: [{match: a-model, input: 10, cached: 1, output: 50, read: '2026-11'}]\n"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(data.astronaut()).save(folder / "a.png")  # type: ignore[no-untyped-call]  # scikit-image
    Image.fromarray(data.coffee()).save(folder / "b.png")  # type: ignore[no-untyped-call]  # scikit-image
    return folder


def run(*words: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "review_copilot.cli", *words]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REVIEW_COPILOT_")}
    named = {f"REVIEW_COPILOT_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        command, cwd=cwd, env={**kept, **named}, capture_output=True, text=True, timeout=120, check=False
    )


def spotting(turn: Turn) -> str:
    return reply(finding("PQ-01", [100, 200, 300, 400]), verdict="discuss", summary="One soft part.")


@pytest.mark.parametrize("inspector", ["openai", "hybrid"])
def test_inspect_asks_the_configured_model_and_keeps_its_replies(inspector: str, photos: Path, tmp_path: Path) -> None:
    with endpoint(spotting) as server:
        settings = {"inspector": inspector, "model": "a-model", "model_base_url": server.url}
        done = run("inspect", str(photos), "--json", cwd=tmp_path, **settings)
        assert done.returncode == 0, done.stderr
        asked = len(server.turns)
        again = run("inspect", str(photos), "--json", cwd=tmp_path, **settings)
        assert (asked, len(server.turns), len(server.probes)) == (2, 2, 1)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for line in lines:
        found = next(s for s in line["suggestions"] if s["criterion"] == "PQ-01")
        assert found["rationale"] == "Upper left: a dark spot."
        assert found["scope"] == "region"
    assert [json.loads(line)["suggestions"] for line in again.stdout.splitlines()] == [
        line["suggestions"] for line in lines
    ]


def test_a_spent_budget_ends_in_two_lines(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(PRICES)
    with endpoint(spotting) as server:
        done = run(
            "inspect", str(photos), "--json", cwd=tmp_path,
            inspector="openai", model="a-model", model_base_url=server.url,
            model_prices="prices.yaml", model_budget_usd="0.001",
        )  # fmt: skip
        assert server.turns == []
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2].startswith("Error: The budget of $0.001 does not cover another call")
    assert "REVIEW_COPILOT_MODEL_BUDGET_USD" in done.stderr


def test_prompt_show_prints_what_would_be_sent(photos: Path, tmp_path: Path) -> None:
    done = run(
        "prompt", "show", str(photos / "a.png"), "--guideline", "generated-image", "--prompt", "a cat", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    for words in ("GI-02 Hands", '"a cat"', "[picture 1: 512 x 512 px", '"enum"', "provider's cache"):
        assert words in done.stdout


def test_probe_stores_a_profile_that_inspect_then_uses(photos: Path, tmp_path: Path) -> None:
    """The endpoint answers in percent, y first, which no shipped profile would guess for its name."""
    convention = Convention(Unit.PERCENT, Order.YXYX)
    places = {(t.view.width_px, t.view.height_px, t.color): t for t in targets()}

    def model(turn: Turn) -> str:
        height, width = turn.pictures[0].shape[:2]
        if "rectangle?" in turn.user:
            color = turn.user.split(" rectangle")[0].split()[-1]
            box = places[width, height, color].box
            return json.dumps({"box": list(convention.from_box(box, width_px=width, height_px=height))})
        return reply(finding("PQ-01", [20, 10, 40, 30]))

    with endpoint(model) as server:
        settings = {
            "inspector": "openai",
            "model": "a-model",
            "model_base_url": server.url,
            "model_profiles": "own.yaml",
        }
        probed = run("probe", cwd=tmp_path, **settings)
        assert probed.returncode == 0, probed.stderr
        done = run("inspect", str(photos / "a.png"), "--json", cwd=tmp_path, **settings)
    assert "a-model replies in the format json_schema_bounded." in probed.stdout
    assert "percent, yxyx" in probed.stdout
    assert yaml.safe_load((tmp_path / "own.yaml").read_text())["profiles"][0]["boxes"]["unit"] == "percent"
    box = json.loads(done.stdout)["suggestions"][0]["box"]
    assert [box[side] for side in ("x", "y", "width", "height")] == pytest.approx([51.2, 102.4, 102.4, 102.4], abs=0.6)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"inspector": "openai"}, "Set REVIEW_COPILOT_MODEL,"),
        ({"inspector": "opnai"}, "builtin, openai, transformers, hybrid"),
        ({"inspector": "openai", "model": "m", "model_prices": "none.yaml"}, "none.yaml cannot be read"),
        ({"inspector": "openai", "model": "m", "model_profile": "x"}, "qwen2-vl"),
        ({"inspector": "openai", "model": "m", "model_budget_usd": "1"}, "no price is known for the model 'm'"),
    ],
)
def test_a_wrong_setting_is_said_in_two_lines(
    settings: dict[str, str], says: str, photos: Path, tmp_path: Path
) -> None:
    done = run("inspect", str(photos), cwd=tmp_path, **settings)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_black_frame_is_not_paid_for(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((300, 400, 3), np.uint8)).save(tmp_path / "black.png")
    with endpoint(spotting) as server:
        done = run(
            "inspect", "black.png", "--json", cwd=tmp_path,
            inspector="openai", model="a-model", model_base_url=server.url,
        )  # fmt: skip
        assert server.turns == server.probes == []
    assert json.loads(done.stdout)["verdict"] == "fail"
