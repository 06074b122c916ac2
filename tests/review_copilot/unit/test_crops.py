"""Regions about which nobody wrote a word are told apart by what their crops look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from builders import NOON, PROJECT, a_provenance, an_image, task_key
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.override import LoggedOverride, Override, OverrideKind, Subject
from review_copilot.domain.review import ProjectKey, ReviewTask
from review_copilot.errors import ExtraMissing, ImageNotFound, LabelStudioUnreachable
from review_copilot.flows.uncovered_crops import crops_of, see_crops
from review_copilot.ports.inspecting import Numbers
from review_copilot.study.patterns import novel_patterns
from review_copilot.study.table import OverrideTable, table_of
from review_copilot.suggest.crop_features import FEATURE_COUNT, crop_features

HERE = Box(0.2, 0.3, 0.4, 0.4)


def scene(number: int) -> Pixels:
    """Reddish and smooth for even numbers, bluish with stripes for odd ones; each a little different."""
    rng = np.random.default_rng(number)
    pixels = np.full((120, 160, 3), (150, 90, 80) if number % 2 == 0 else (70, 90, 160), np.uint8)
    if number % 2:
        pixels[:, ::8] = 220
    return np.clip(pixels + rng.integers(-6, 7, pixels.shape), 0, 255).astype(np.uint8)


@dataclass
class Shelves:
    """A workspace and its images; some are gone."""

    gone: frozenset[int] = frozenset()
    closed: bool = False
    key: ProjectKey = PROJECT

    def open(self, project_id: int) -> Shelves:
        if self.closed:
            raise LabelStudioUnreachable("Label Studio does not answer.")
        return self

    def tasks(self, *, only: Sequence[int] | None = None) -> Iterator[ReviewTask]:
        for task_id in only or ():
            yield ReviewTask(key=task_key(task_id), image=f"/data/upload/{task_id}.png")

    def load(self, reference: str, *, task_id: int | None = None) -> ReviewImage:
        if task_id in self.gone or task_id is None:
            raise ImageNotFound("It is not there.")
        return an_image(scene(task_id))


def added(task: int) -> LoggedOverride:
    """A region labelled "Novel pattern", without a note."""
    override = Override(Subject.REGION, OverrideKind.ADDED, criterion_to=UNCOVERED, box_to=HERE)
    key, when = task_key(task), NOON
    return LoggedOverride(
        task, 1, True, key, task, override, "ada", "ada", when, when, when, 20.0, a_provenance(), "shown"
    )


def table(count: int = 40) -> OverrideTable:
    return table_of(added(task) for task in range(1, count + 1))


def test_crops_of_one_kind_measure_alike_and_of_another_kind_unlike() -> None:
    one, same, other = (crop_features(scene(number), HERE) for number in (2, 4, 3))
    assert one.shape == (FEATURE_COUNT,)
    assert np.abs(one - same).max() < 0.1
    assert np.abs(one - other).max() > 0.5


def test_a_crop_of_a_single_pixel_is_measured_too() -> None:
    assert np.isfinite(crop_features(scene(1), Box(0.5, 0.5, 0.001, 0.001))).all()


def test_unnoted_regions_become_patterns_by_their_crops() -> None:
    shelves = Shelves()
    features = see_crops(table(), workspace=shelves, images=shelves)  # type: ignore[arg-type]  # two methods of it
    found = novel_patterns(table(), features=features)
    assert sorted({task % 2 for task in p.tasks} == {p.tasks[0] % 2} and p.size for p in found) == [20, 20]
    assert novel_patterns(table()) == ()


def test_an_image_that_is_gone_costs_its_own_crop_only() -> None:
    shelves = Shelves(gone=frozenset({1, 2}))
    features = see_crops(table(), workspace=shelves, images=shelves)  # type: ignore[arg-type]  # two methods of it
    assert features is not None
    assert np.isfinite(features).all(axis=1).tolist() == [False, False, *[True] * 38]


def test_without_time_label_studio_or_the_very_project_no_crop_is_seen() -> None:
    here = Shelves()
    assert see_crops(table(), workspace=here, images=here, limit_s=-1.0) is None  # type: ignore[arg-type]  # two methods of it
    other = Shelves(key=ProjectKey(PROJECT.instance, PROJECT.project_id, "made anew"))
    for opener in (None, Shelves(closed=True), other):
        assert crops_of(table(), project=PROJECT, opener=opener, images=here) is None  # type: ignore[arg-type]  # two methods of it
    assert crops_of(table(), project=PROJECT, opener=here, images=here) is not None  # type: ignore[arg-type]  # two methods of it


def test_another_measure_takes_the_place_of_the_numbers() -> None:
    """As an embedding model does; it may say as many numbers as it likes."""
    shelves = Shelves()

    def parity(pixels: Pixels, box: Box) -> Numbers:
        return np.full(3, float(pixels[0, 1, 0] > 100))

    features = see_crops(table(), workspace=shelves, images=shelves, measure=parity)  # type: ignore[arg-type]  # two methods of it
    assert features is not None
    assert features[:4].tolist() == [[0.0] * 3, [1.0] * 3, [0.0] * 3, [1.0] * 3]


def test_a_measure_that_is_not_installed_is_said_and_not_passed_over() -> None:
    shelves = Shelves()

    def missing(pixels: Pixels, box: Box) -> Numbers:
        raise ExtraMissing("It is not installed.")

    with pytest.raises(ExtraMissing):
        crops_of(table(), project=PROJECT, opener=shelves, images=shelves, measure=missing)  # type: ignore[arg-type]  # two methods of it
