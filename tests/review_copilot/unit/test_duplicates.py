"""The same and nearly the same pictures of a project: found, and said in the drafts of both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from fake_clock import FakeClock
from fake_label_studio import FakeInspector, FakeWorkspace
from fakes import MemoryStore
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.review import ProjectKey, Review
from review_copilot.domain.suggestion import Finding
from review_copilot.domain.task_image import Picture
from review_copilot.engines.thread_engine import ThreadEngine
from review_copilot.flows.blind_share import BlindShare
from review_copilot.flows.preannotate import preannotate
from review_copilot.flows.review_context import ReviewContext
from review_copilot.library import load_guideline
from review_copilot.suggest.fingerprints import MOST_NAMED, Likeness, fingerprint, likenesses

KEY = ProjectKey("http://ls", 7, "1732360000")
ROLLOUT = "photo-quality r1 abc"
FINDING = Finding("PQ-01", Severity.MAJOR, 0.8, Box(0.1, 0.1, 0.2, 0.2), "It is soft.")


def scene(seed: int) -> Pixels:
    """Soft blobs, another picture for another seed."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (7, 9, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def saved_badly(pixels: Pixels) -> Pixels:
    small = cv2.resize(pixels, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 30])
    return np.asarray(np.clip(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)) * 1.1, 0, 255), np.uint8)


@dataclass
class Gallery:
    """Images by name; the file is the pixels."""

    pictures: dict[str, Pixels] = field(default_factory=dict)

    def load(self, reference: str, *, task_id: int | None = None) -> ReviewImage:
        pixels = self.pictures[reference]
        data = pixels.tobytes()
        height, width = pixels.shape[:2]
        return ReviewImage(reference, data, hashlib.sha256(data).hexdigest(), "PNG", width, height, lambda _: pixels)


@pytest.fixture
def gallery() -> Gallery:
    pictures = {f"{number}.png": scene(number) for number in (1, 2, 3)}
    return Gallery(pictures | {"1 again.png": scene(1), "2 small.jpg": saved_badly(scene(2))})


@pytest.fixture
def workspace() -> FakeWorkspace:
    names = ("1.png", "2.png", "3.png", "1 again.png", "2 small.jpg")
    return FakeWorkspace(KEY, dict(enumerate(names, start=1)))


def context(gallery: Gallery, *findings: Finding, blind: BlindShare | None = None) -> ReviewContext:
    guideline = load_guideline("photo-quality")
    return ReviewContext(
        guideline, FakeInspector(findings), gallery, FakeClock(), min_score=0.3, blind=blind or BlindShare()
    )


def drafts(store: MemoryStore) -> dict[int, Review]:
    return dict(store.drafted(KEY, rollout=ROLLOUT))


def test_a_fingerprint_survives_another_size_and_format() -> None:
    one, other = int(fingerprint(scene(5)), 16), int(fingerprint(saved_badly(scene(5))), 16)
    assert (one ^ other).bit_count() <= 4
    assert (one ^ int(fingerprint(scene(6)), 16)).bit_count() > 8


@pytest.mark.parametrize("size", [(1, 1), (64, 48), (3, 200)])
def test_an_empty_picture_has_no_fingerprint(size: tuple[int, int]) -> None:
    assert fingerprint(np.full((*size, 3), 90, np.uint8)) == ""


def test_near_is_within_eight_bits_and_never_beyond() -> None:
    base = 0x5A5A_5A5A_5A5A_5A5A
    random = np.random.default_rng(1)
    others = {}
    for task_id, bits in enumerate(range(1, 13), start=2):
        flipped = base
        for place in random.permutation(63)[:bits]:
            flipped ^= 1 << int(place)
        others[task_id] = (flipped, bits)
    pictures = [Picture(1, "a", f"{base:016x}"), *(Picture(i, str(i), f"{v:016x}") for i, (v, _) in others.items())]
    assert set(likenesses(pictures)[1].near) == {i for i, (_, bits) in others.items() if bits <= 8}


def test_the_same_file_is_not_called_near_as_well() -> None:
    found = likenesses([Picture(1, "a", "00ff00ff00ff00ff"), Picture(2, "a", "00ff00ff00ff00ff"), Picture(3, "b", "")])
    assert found == {1: Likeness(same=(2,)), 2: Likeness(same=(1,))}


def test_of_a_task_whose_picture_changed_the_last_counts() -> None:
    assert likenesses([Picture(1, "a"), Picture(2, "a"), Picture(1, "b")]) == {}


def test_thousands_of_the_same_picture_are_named_by_a_few() -> None:
    found = likenesses(Picture(i, str(i), "00ff00ff00ff00ff") for i in range(600))
    assert len(found) == 600
    assert {len(likeness.near) for likeness in found.values()} == {MOST_NAMED}


def test_the_drafts_of_both_say_it(workspace: FakeWorkspace, gallery: Gallery) -> None:
    store = MemoryStore()
    report = preannotate(
        workspace,
        engine=ThreadEngine(context(gallery, FINDING), concurrency=1),
        store=store,
        rollout=ROLLOUT,
        clock=FakeClock(),
    )
    found = drafts(store)
    assert found[1].summary.endswith(" The same file as task 4.")
    assert found[4].summary.endswith(" The same file as task 1.")
    assert found[2].summary.endswith(" Nearly the same picture as task 5.")
    assert found[5].suggestions[0].evidence["nearly_same_picture_as"] == "task 2"
    assert "picture" not in found[3].summary
    assert (report.alike, report.stored, report.drafted) == (4, 5, 5)
    assert sorted(p.task_id for p in workspace.predictions(rollout=ROLLOUT)) == [1, 2, 3, 4, 5]


def test_it_is_said_where_nothing_was_found_too(workspace: FakeWorkspace, gallery: Gallery) -> None:
    store = MemoryStore()
    preannotate(
        workspace, engine=ThreadEngine(context(gallery), concurrency=1), store=store, rollout=ROLLOUT, clock=FakeClock()
    )
    assert drafts(store)[4].summary == "No flaw found that the guideline asks to flag. The same file as task 1."


def test_a_second_run_replaces_nothing_and_a_new_copy_is_added_to_the_words(
    workspace: FakeWorkspace, gallery: Gallery
) -> None:
    store = MemoryStore()
    tools = context(gallery)
    preannotate(workspace, engine=ThreadEngine(tools, concurrency=1), store=store, rollout=ROLLOUT, clock=FakeClock())
    before = dict(workspace.stored)
    preannotate(workspace, engine=ThreadEngine(tools, concurrency=1), store=store, rollout=ROLLOUT, clock=FakeClock())
    assert workspace.stored == before
    workspace.images[6] = "1 again.png"
    preannotate(workspace, engine=ThreadEngine(tools, concurrency=1), store=store, rollout=ROLLOUT, clock=FakeClock())
    assert drafts(store)[1].summary.endswith("flag. The same file as tasks 4 and 6.")
    assert sorted(p.task_id for p in workspace.stored.values()) == [1, 2, 3, 4, 5, 6]


def test_a_draft_that_a_reviewer_has_begun_is_left_alone(workspace: FakeWorkspace, gallery: Gallery) -> None:
    store = MemoryStore()
    workspace.in_hand = {1}
    preannotate(
        workspace, engine=ThreadEngine(context(gallery), concurrency=1), store=store, rollout=ROLLOUT, clock=FakeClock()
    )
    assert "file" not in drafts(store)[1].summary
    assert "same file as task 1" in drafts(store)[4].summary


def test_a_deleted_task_is_not_named(workspace: FakeWorkspace, gallery: Gallery) -> None:
    store = MemoryStore()
    tools = context(gallery)
    preannotate(workspace, engine=ThreadEngine(tools, concurrency=1), store=store, rollout=ROLLOUT, clock=FakeClock())
    del workspace.images[4]
    workspace.images[6] = "1 again.png"
    preannotate(workspace, engine=ThreadEngine(tools, concurrency=1), store=store, rollout=ROLLOUT, clock=FakeClock())
    assert drafts(store)[6].summary.endswith("The same file as task 1.")


def test_a_withheld_draft_is_not_sent_for_being_alike(workspace: FakeWorkspace, gallery: Gallery) -> None:
    store = MemoryStore()
    tools = context(gallery, blind=BlindShare(share=1.0, seed="s"))
    report = preannotate(
        workspace, engine=ThreadEngine(tools, concurrency=1), store=store, rollout=ROLLOUT, clock=FakeClock()
    )
    assert (report.withheld, workspace.stored) == (5, {})
