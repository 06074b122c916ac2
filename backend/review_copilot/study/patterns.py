"""What the guideline does not know yet: regions that no criterion claims, put together by what was written and seen.

Knows texts, boxes and feature vectors that it is handed; no images and no files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.cluster import HDBSCAN
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from review_copilot.domain.note_words import WORD
from review_copilot.study.alike_crops import adopted_by_looks, joined_by_looks, standard_looks
from review_copilot.study.note_vectors import STOP_WORDS, note_points
from review_copilot.study.table import Flags, Floats, Ints, OverrideTable

LEAST_SIZE = 5
"""Fewer regions than this are no pattern yet."""
MOST_CLUSTERED = 4000
"""Of more items an even sample is clustered; the rest goes to the nearest cluster that it resembles as much."""
ALIKE = 0.3
"""Cosine of two clusters' mean texts from which they are one pattern in other words."""
NEAR = 0.5
"""Cosine to a cluster's center from which a note that no cluster holds may belong to it, and least of a lone one's."""
NEARER = 0.2
"""How much farther the next center must then be."""
TELLING_WORDS = 4
FEWEST_ALIKE = 3
"""Notes that must share a word before it says what a cluster is about; half of the notes must have such a word."""
RECENT_SHARE = 0.25
_NOISE = -1


@dataclass(frozen=True)
class DraftCriterion:
    """A first draft of the criterion that a pattern asks for, in the reviewers' own words.

    Attributes:
        label: Rectangle label.
        definition: One sentence.
        flag_when: Notes that reviewers wrote, the most typical first.
    """

    label: str
    definition: str
    flag_when: tuple[str, ...]


@dataclass(frozen=True)
class Sighting:
    """One typical region of a pattern: where to cut a thumbnail.

    Attributes:
        task: Label Studio's task id.
        annotation: Label Studio's annotation id.
        box: x, y, width, height in fractions; None where no box was submitted.
        note: What the reviewer wrote.
    """

    task: int
    annotation: int
    box: tuple[float, float, float, float] | None
    note: str


@dataclass(frozen=True)
class Pattern:
    """One novel pattern.

    Attributes:
        name: Its most telling words.
        words: The same, one by one.
        size: Regions and notes in it.
        growth: Share of its sightings in the last quarter of the period, divided by what an even spread would give.
        tasks: Label Studio task ids by rising id.
        reviewers: How many people reported it.
        first_seen_s: Seconds since 1970 UTC.
        last_seen_s: The same of the newest.
        typical: The most typical sightings, at most three.
        draft: A first draft of a criterion.
        rows: Row ids of the log by rising id.
    """

    name: str
    words: tuple[str, ...]
    size: int
    growth: float
    tasks: tuple[int, ...]
    reviewers: int
    first_seen_s: float
    last_seen_s: float
    typical: tuple[Sighting, ...]
    draft: DraftCriterion
    rows: tuple[int, ...] = ()


def novel_patterns(
    table: OverrideTable, *, span: tuple[float, float] | None = None, features: Floats | None = None
) -> tuple[Pattern, ...]:
    """Cluster everything that no criterion claims.

    Args:
        table: The log; rows that are not uncovered may be missing.
        span: When the first and the newest annotation of the log were made; the table's times when None.
        features: One vector for each row of `table.uncovered` that says what its crop looks like, in the table's
            order, from an embedding model or measured; rows of NaN where there is no crop. None for texts only.

    Returns:
        The biggest and fastest growing first; empty where there are too few.
    """
    rows = np.flatnonzero(table.uncovered)
    texts = [table.notes[i] if i >= 0 else "" for i in table.note[rows].tolist()]
    seen = np.array([features is not None or bool(t) for t in texts], dtype=np.bool_)
    rows, texts = rows[seen], [t for t, use in zip(texts, seen.tolist(), strict=True) if use]
    if len(rows) < LEAST_SIZE:
        return ()
    features = None if features is None else features[seen]
    labels = _without_loose(texts, cluster(texts, features=features), features)
    period = span or (float(table.time_s.min()), float(table.time_s.max()))
    found = [
        _pattern(table, rows[labels == label], words, period) for label, words in enumerate(_telling(texts, labels))
    ]
    return tuple(sorted(found, key=lambda p: (-p.size * max(p.growth, 0.5), p.name)))


def cluster(texts: Sequence[str], *, features: Floats | None = None) -> Ints:
    """Put texts (and crops) together.

    First by words and the company that they keep (`note_points`), then what says nothing telling by what its crop looks
    like; both by HDBSCAN (Campello, Moulavi and Sander 2013). Clusters that say the same in other words are joined.

    Args:
        texts: What was written; may be empty strings.
        features: Vectors of the crops, shape (texts, d); see `novel_patterns`.

    Returns:
        Cluster of each text, 0 for the biggest; -1 for what belongs to none.
    """
    points, placed = note_points(texts)
    labels = _joined_by_words(texts, _clustered(points, placed))
    if features is not None:
        seen = np.asarray(np.isfinite(features).all(axis=1))
        looks = standard_looks(features, seen)
        labels = adopted_by_looks(looks, seen, joined_by_looks(looks, seen, labels))
        by_looks = _clustered(looks, seen & (labels < 0))
        labels = np.where(by_looks >= 0, by_looks + labels.max() + 1, labels)
    return _by_size(labels)


def _without_loose(texts: Sequence[str], labels: Ints, features: Floats | None) -> Ints:
    """Without clusters whose notes have no word in common, unless their crops were looked at.

    Notes that were put together by a template, or by nothing but chance, are no evidence of a pattern.
    """
    notes = [_content(text) for text in texts]
    for label in range(int(labels.max()) + 1):
        mine = np.flatnonzero(labels == label)
        noted = [notes[i] for i in mine.tolist() if notes[i]]
        often = Counter(word for note in noted for word in note)
        common = {word for word, count in often.items() if count >= max(FEWEST_ALIKE, 0.2 * len(noted))}
        held = bool(noted) and 2 * sum(bool(note & common) for note in noted) >= len(noted)
        looked = features is not None and bool(np.isfinite(features[mine]).all(axis=1).sum() >= LEAST_SIZE)
        if not held and not (looked and 2 * len(noted) < len(mine)):
            labels = np.where(labels == label, _NOISE, labels)
    return _by_size(_without_holes(labels))


def _joined_by_words(texts: Sequence[str], labels: Ints) -> Ints:
    """Join clusters of which one word stands in most notes of both: one pattern, seen in several places."""
    labels = labels.copy()
    clusters = range(int(labels.max()) + 1)
    common = []
    for label in clusters:
        notes = [_content(texts[i]) for i in np.flatnonzero(labels == label).tolist()]
        noted = [note for note in notes if note]
        often = Counter(word for note in noted for word in note)
        common.append({word for word, count in often.items() if 2 * count > len(noted)})
    for label in reversed(clusters):
        first = next((other for other in range(label) if common[label] & common[other]), None)
        if first is not None:
            labels[labels == label] = first
            common[first] &= common[label]
    return _without_holes(labels)


def _content(text: str) -> frozenset[str]:
    """The words of a note that may say what it is about."""
    return frozenset(re.findall(WORD, text.lower())) - _STOP_WORDS


_STOP_WORDS = frozenset(STOP_WORDS)


def _without_holes(labels: Ints) -> Ints:
    used = np.unique(labels[labels >= 0])
    return np.where(labels >= 0, np.searchsorted(used, labels), _NOISE)


def _clustered(points: Floats, eligible: Flags) -> Ints:
    """Clusters of the eligible points; -1 for all others."""
    known = np.flatnonzero(eligible)
    labels: Ints = np.full(len(points), _NOISE)
    if len(known) < LEAST_SIZE:
        return labels
    sample = known[np.unique(np.linspace(0, len(known) - 1, min(len(known), MOST_CLUSTERED)).astype(np.int64))]
    least = max(LEAST_SIZE, round(0.01 * len(sample)))
    labels[sample] = HDBSCAN(min_cluster_size=least, min_samples=3, copy=True).fit_predict(points[sample])
    if labels.max() < 0:
        labels[sample] = _one_cluster(points[sample], least)
    return np.where(eligible, _adopted(points, _joined(points, labels)), _NOISE)


def _one_cluster(points: Floats, least: int) -> Ints:
    """The only cluster of the points, if they have one: HDBSCAN wants two. Its members resemble its center."""
    alone = HDBSCAN(min_cluster_size=least, min_samples=3, allow_single_cluster=True, copy=True).fit_predict(points)
    if alone.max() < 0:
        return np.asarray(alone)
    fits = (alone == 0) & ((points @ normalize(_centers(points, alone)).T)[:, 0] >= NEAR)
    return np.where(fits, 0, _NOISE) if fits.sum() >= least else np.full(len(points), _NOISE)


def _centers(points: Floats, labels: Ints) -> Floats:
    return np.stack([points[labels == label].mean(axis=0) for label in range(int(labels.max()) + 1)])


def _joined(points: Floats, labels: Ints) -> Ints:
    """Join clusters whose centers are alike, the most alike first."""
    labels = labels.copy()
    while labels.max() >= 1:
        centers = normalize(_centers(points, labels))
        likeness = centers @ centers.T
        np.fill_diagonal(likeness, -1.0)
        one, two = np.unravel_index(int(np.argmax(likeness)), likeness.shape)
        if likeness[one, two] < ALIKE:
            break
        labels[labels == two] = one
        labels[labels > two] -= 1
    return labels


def _by_size(labels: Ints) -> Ints:
    if labels.max() < 0:
        return labels
    order = np.argsort(-np.bincount(labels[labels >= 0]), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return np.where(labels >= 0, rank[np.maximum(labels, 0)], _NOISE)


def _adopted(points: Floats, labels: Ints) -> Ints:
    """Give a cluster to what resembles its center, and no other center nearly as much."""
    if labels.max() < 0:
        return labels
    likeness = points @ normalize(_centers(points, labels)).T
    ranked = np.sort(likeness, axis=1)
    second = ranked[:, -2] if likeness.shape[1] > 1 else np.zeros(len(points))
    fits = (ranked[:, -1] >= NEAR) & (ranked[:, -1] - second >= NEARER)
    return np.where((labels < 0) & fits, np.argmax(likeness, axis=1), labels)


def _telling(texts: Sequence[str], labels: Ints) -> list[tuple[str, ...]]:
    """For each cluster the words that are frequent in it and rare elsewhere (class-based TF-IDF)."""
    words = TfidfVectorizer(token_pattern=WORD, stop_words=STOP_WORDS, use_idf=False, norm=None)
    clusters = range(int(labels.max()) + 1)
    try:
        counts = csr_matrix(words.fit_transform(texts) > 0).astype(np.float64)
    except ValueError:  # scikit-learn's way to say that no word is left
        return [() for _ in clusters]
    everywhere = np.asarray(counts.sum(axis=0)).ravel()
    names = words.get_feature_names_out()
    found = []
    for label in clusters:
        inside = np.asarray(counts[np.flatnonzero(labels == label)].sum(axis=0)).ravel()
        telling = inside * np.log1p(len(texts) / everywhere) * inside / everywhere
        order = np.argsort(-telling, kind="stable")[:TELLING_WORDS]
        found.append(tuple(str(names[i]) for i in order if inside[i] >= 2))
    return found


def _pattern(table: OverrideTable, rows: Ints, words: tuple[str, ...], span: tuple[float, float]) -> Pattern:
    times = table.time_s[rows]
    start = span[1] - RECENT_SHARE * (span[1] - span[0])
    notes = _common_notes(table, rows)
    name = " ".join(words[:3]) or "alike in the image, without a note"
    return Pattern(
        name=name,
        words=words,
        size=len(rows),
        growth=float((times >= start).mean() / RECENT_SHARE) if span[1] > span[0] else 1.0,
        tasks=tuple(np.unique(table.task[rows]).tolist()),
        reviewers=len(np.unique(table.reviewer[rows])),
        first_seen_s=float(times.min()),
        last_seen_s=float(times.max()),
        typical=_typical(table, rows, words),
        draft=DraftCriterion(
            label=name.capitalize(),
            definition=f"Reviewers describe this as: {'; '.join(notes[:2])}."
            if notes
            else "Reviewers' notes do not agree on what this is. Look at the regions and name it yourself.",
            flag_when=notes,
        ),
        rows=tuple(np.sort(table.row[rows]).tolist()),
    )


def _common_notes(table: OverrideTable, rows: Ints) -> tuple[str, ...]:
    """Notes that share a word with FEWEST_ALIKE or more of them, the most frequent first."""
    which, often = np.unique(table.note[rows][table.note[rows] >= 0], return_counts=True)
    notes = [table.notes[i] for i in which.tolist()]
    said: Counter[str] = Counter()
    for note, times in zip(notes, often.tolist(), strict=True):
        said.update(dict.fromkeys(_content(note), times))
    agreed = [i for i, note in enumerate(notes) if any(said[word] >= FEWEST_ALIKE for word in _content(note))]
    return tuple(notes[i] for i in sorted(agreed, key=lambda i: -often[i])[:3])


def _typical(table: OverrideTable, rows: Ints, words: tuple[str, ...]) -> tuple[Sighting, ...]:
    """Sightings with the most telling words, from different tasks."""

    def note(row: int) -> str:
        return table.notes[int(table.note[row])] if table.note[row] >= 0 else ""

    ranked = sorted(rows.tolist(), key=lambda r: -sum(word in note(r).lower() for word in words))
    chosen: dict[int, int] = {}
    for row in ranked:
        chosen.setdefault(int(table.task[row]), row)
    return tuple(_sighting(table, row, note(row)) for row in list(chosen.values())[:3])


def _sighting(table: OverrideTable, row: int, note: str) -> Sighting:
    x, y, width, height = (float(v) for v in table.box[row])
    box = None if np.isnan(x) else (x, y, width, height)
    return Sighting(int(table.task[row]), int(table.annotation[row]), box, note)
