"""Notes that speak of the same thing lie near each other, whatever words they chose."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import adjusted_rand_score

from review_copilot.study.note_vectors import note_points
from review_copilot.study.patterns import cluster

FILLER = (
    "please", "here", "left", "right", "side", "maybe", "there", "near", "bottom", "corner", "image", "looks",
    "slightly", "think", "sure", "area",
)  # fmt: skip
TOPICS = (
    ("moire", "ripple", "fabric", "stripes", "weave", "wavy"),
    ("lamp", "flare", "reflection", "ghost", "green", "halo"),
    ("panorama", "seam", "stitching", "join", "misaligned", "step"),
)


def noisy(seed: int, *, each: int) -> tuple[list[str], list[int]]:
    """Notes of two or three words of their topic among twice as many that say nothing."""
    rng = np.random.default_rng(seed)
    written = []
    for topic, words in enumerate(TOPICS):
        for _ in range(each):
            said = [*rng.choice(words, int(rng.integers(2, 4)), replace=False), *rng.choice(FILLER, 5)]
            written.append((" ".join(rng.permutation(said).tolist()), topic))
    return [note for note, _ in written], [topic for _, topic in written]


def test_topics_are_found_among_words_that_say_nothing() -> None:
    for seed in range(3):
        notes, topics = noisy(seed, each=60)
        assert adjusted_rand_score(topics, cluster(notes)) > 0.8


def test_notes_without_a_shared_word_are_near_when_their_words_keep_the_same_company() -> None:
    notes, _ = noisy(1, each=60)
    points, placed = note_points([*notes, "moire weave", "ripple fabric", "flare halo"])
    one, same, other = points[-3:]
    assert placed[-3:].all()
    assert one @ same > 0.8
    assert abs(float(one @ other)) < 0.3


def test_a_slip_of_the_pen_counts_as_the_word_that_was_meant() -> None:
    notes, _ = noisy(1, each=60)
    points, _ = note_points([*notes, "stitching panorama", "stiching panorma"])
    assert points[-2] @ points[-1] > 0.95


def test_what_says_nothing_telling_is_not_placed() -> None:
    notes, _ = noisy(1, each=60)
    _, placed = note_points([*notes, "", "please maybe", "zebra"])
    assert placed[-3:].tolist() == [False, False, False]


def test_a_note_of_one_word_that_is_repeated_is_placed() -> None:
    _, placed = note_points(["glove"] * 5 + ["dust"])
    assert placed.tolist() == [True] * 5 + [False]


def test_notes_without_words_have_no_place() -> None:
    points, placed = note_points(["", "...", "12"])
    assert points.shape == (3, 1)
    assert not placed.any()


def test_one_pattern_alone_is_found_and_noise_alone_is_none() -> None:
    """HDBSCAN by itself finds two clusters or none."""
    sides = ("upper", "lower", "outer", "inner", "front", "back", "whole", "half")
    noise = [f"{one} {other}" for one in sides for other in ("paper", "marble", "garden", "window")]
    assert cluster(["sticker on the lens"] * 8).tolist() == [0] * 8
    assert cluster(noise[:9]).max() == -1
