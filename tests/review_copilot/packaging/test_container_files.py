"""The container files, as far as they can be judged without an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from review_copilot.settings import PREFIX, Settings

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
SETTINGS = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
KEPT = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
BARRED = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("**/")]


def _compose() -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    found: dict[str, dict[str, dict[str, dict[str, str]]]] = yaml.safe_load(
        (ROOT / "docker" / "compose.yaml").read_text()
    )
    return found


def _context(folder: Path) -> Path:
    """What the build gets to see: what .dockerignore keeps, less what it bars by name."""
    context = folder / "context"
    context.mkdir()
    barred = shutil.ignore_patterns(*(pattern.removeprefix("**/") for pattern in BARRED))
    for name in KEPT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, context / name, ignore=barred)
        else:
            shutil.copy(source, context / name)
    return context


@pytest.mark.parametrize(
    "command",
    [
        ["hadolint", "docker/Dockerfile"],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker/compose.yaml"],
    ],
    ids=["hadolint", "compose schema"],
)
def test_linters_find_nothing(command: list[str]) -> None:
    done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_build_sees_no_secret_and_no_environment() -> None:
    """Everything is barred, then single names are let in; none of them holds an environment or a database."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    for name in (".env", ".venv", ".label-studio", ".git", "review-copilot.db", "tests"):
        assert name not in KEPT
    assert {"**/.env", "**/*.db", "**/*.db-wal"} <= set(BARRED)


@pytest.mark.timeout(600)
def test_the_dockerfiles_first_step_builds_the_wheel_from_what_it_sees(tmp_path: Path) -> None:
    """Its own RUN line, in the context that .dockerignore leaves, with another folder for /wheels."""
    (step,) = re.findall(r"^RUN (pip wheel .*)$", (ROOT / "docker" / "Dockerfile").read_text(), re.MULTILINE)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    step = step.replace("/wheels", str(wheels)).replace(
        "pip wheel", f"{sys.executable} -m pip wheel --no-build-isolation"
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", step], cwd=_context(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(list(wheels.glob("label_studio_review_copilot-*.whl"))) == 1
    assert (wheels / "requirements.lock").read_text() == (ROOT / "requirements.lock").read_text()


def test_compose_passes_settings_that_exist() -> None:
    copilot = _compose()["services"]["copilot"]
    given = set(copilot["environment"])
    assert given <= SETTINGS
    wanted = (
        "LABEL_STUDIO_LINK",
        "GUIDELINE",
        "INSPECTOR",
        "MODEL",
        "MODEL_BASE_URL",
        "MODEL_API_KEY",
        "ALLOWED_HOSTS",
    )
    assert {f"{PREFIX}{name}" for name in wanted} <= given
    assert list(copilot["ports"]) == ["127.0.0.1:9090:9090"]


def test_every_direct_dependency_is_locked() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    (block,) = re.findall(r"^dependencies = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    direct = {name.lower() for name in re.findall(r'^    "([A-Za-z0-9._-]+)', block, re.MULTILINE)}
    locked = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}
    assert direct <= locked
