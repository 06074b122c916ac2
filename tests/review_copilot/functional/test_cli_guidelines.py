"""The guideline commands, run as people run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from review_copilot.cli.typer_app import build_whole_app
from review_copilot.library import load_guideline, shipped_label_config, source_of_guideline

RUN = CliRunner()


def test_label_config_prints_the_shipped_one() -> None:
    done = RUN.invoke(build_whole_app(), ["label-config", "--guideline", "photo-quality"])
    assert (done.exit_code, done.stdout) == (0, shipped_label_config("photo-quality"))


def test_label_config_writes_a_file_with_reference_and_prompt(tmp_path: Path) -> None:
    out = tmp_path / "config.xml"
    done = RUN.invoke(
        build_whole_app(), ["label-config", "--guideline", "pcb", "--reference", "--prompt", "--out", str(out)]
    )
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "$reference" in out.read_text(encoding="utf-8")
    assert "$prompt" in out.read_text(encoding="utf-8")


def test_label_config_says_where_it_cannot_write(tmp_path: Path) -> None:
    done = RUN.invoke(build_whole_app(), ["label-config", "--out", str(tmp_path / "none" / "config.xml")])
    assert done.exit_code == 2
    assert "cannot be written" in " ".join(done.stderr.replace("│", " ").split())


def test_list_names_title_and_revision() -> None:
    done = RUN.invoke(build_whole_app(), ["guideline", "list"])
    assert done.exit_code == 0
    for name in ("pcb", "photo-quality"):
        guideline = load_guideline(name)
        assert name in done.stdout
        assert guideline.revision in done.stdout


def test_show_reads_like_the_guideline() -> None:
    done = RUN.invoke(build_whole_app(), ["guideline", "show", "photo-quality"])
    words = " ".join(done.stdout.split())
    assert done.exit_code == 0
    for criterion in load_guideline("photo-quality").criteria:
        assert f"{criterion.id} {criterion.label}" in words
        assert criterion.definition in words
        assert criterion.do_not_flag_when[0] in words


@pytest.mark.parametrize("name", ["photo-quality", "pcb"])
def test_check_lists_who_examines_each_criterion(name: str) -> None:
    done = RUN.invoke(build_whole_app(), ["guideline", "check", name])
    guideline = load_guideline(name)
    assert done.exit_code == 0
    assert done.stdout.endswith(f"{name}: {len(guideline.criteria)} criteria, revision {guideline.revision}.\n")
    for criterion in guideline.criteria:
        assert f"measures {criterion.measures[0]}" in done.stdout


def test_criteria_that_nobody_examines_fail_the_check_unless_they_are_allowed() -> None:
    done = RUN.invoke(build_whole_app(), ["guideline", "check", "generated-image"])
    assert done.exit_code == 1
    assert "11 of 11 criteria are not examined" in done.stdout
    allowed = RUN.invoke(build_whole_app(), ["guideline", "check", "generated-image", "--allow-unexamined"])
    assert allowed.exit_code == 0
    by_model = RUN.invoke(build_whole_app(), ["guideline", "check", "generated-image", "--inspector", "hybrid"])
    assert by_model.exit_code == 0
    assert by_model.stdout.count("the model") == 11


def test_an_unknown_measure_fails_the_check_with_the_nearest_names(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(source_of_guideline("pcb").replace("pcb_short", "pcb_shrot"), encoding="utf-8")
    done = RUN.invoke(build_whole_app(), ["guideline", "check", str(path), "--allow-unexamined"])
    assert done.exit_code == 1
    assert 'PCB-02: there is no measure "pcb_shrot"; did you mean pcb_short' in done.stdout


def test_the_measures_are_listed_with_their_units() -> None:
    done = RUN.invoke(build_whole_app(), ["guideline", "measures"])
    assert "defocus" in done.stdout
    assert "px of blur" in done.stdout


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own, where `main` words the errors."""
    code = "from review_copilot.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


def test_a_wrong_file_is_named_with_line_and_mend_and_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("titel: Mine\n", encoding="utf-8")
    done = command("guideline", "check", str(path))
    assert done.returncode == 2
    assert 'mine.yaml:1: unknown key "titel"; did you mean "title"?' in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_an_unknown_guideline_is_two_lines_with_the_nearest_name() -> None:
    done = command("label-config", "--guideline", "photo-qualty")
    assert done.returncode == 2
    assert done.stderr == 'Error: There is no guideline named "photo-qualty".\nDid you mean "photo-quality"?\n'
