"""Notes as points that lie near each other when they speak of the same thing. Knows texts only.

Reviewers write a few words, seldom the same ones: "moire on fabric", "wavy weave, left side". So a note is described by
its words and by the words that these keep company with, and a word counts by how much company it keeps: "fabric" and
"weave" turn up together, "left" and "maybe" anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import ndtri
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer, TfidfVectorizer
from sklearn.preprocessing import normalize

from review_copilot.domain.note_words import WORD
from review_copilot.study.table import Flags, Floats, Ints

ABOUT_THE_GUIDELINE = frozenset(
    {"again", "another", "applies", "apply", "call", "claim", "claims", "cover", "covered", "covers", "criteria"}
    | {"criterion", "fit", "fits", "guideline", "guidelines", "know", "label", "labeled", "labels", "maybe", "missing"}
    | {"name", "named", "new", "nothing", "novel", "odd", "question", "rule", "rules", "say", "says", "see", "seen"}
    | {"sort", "sure", "thing", "things", "uncovered", "unknown", "unsure", "unusual"}
)
"""Words that say that something is not covered, and not what it is."""
STOP_WORDS = sorted(ENGLISH_STOP_WORDS | ABOUT_THE_GUIDELINE)
MOST_WORDS = 1000
"""The most frequent words describe the notes; with more, rare ones would only add noise."""
CHANCE = 0.5
"""Two words keep company when that is surer than chance makes of this many of a word's partners."""
REACH = 3.0
"""What the company of a note's words counts beside the words themselves."""
TOPICS = 8
TELLING = 0.25
"""Share of the strongest company from which a word can place a note."""
REPEATED = 5
"""A note that was written as often as this is placed, whatever its words."""
ALONE = 0.05
"""What a word without company counts."""
SLIP = 0.55
"""Cosine of letter groups from which a rare word is taken for a slip or another ending of a frequent one."""
SLIP_RATIO = 3
_LEARNT_FROM = 4000


def note_points(notes: Sequence[str]) -> tuple[Floats, Flags]:
    """Describe notes by their words and the company that these keep.

    Args:
        notes: What was written; may be empty.

    Returns:
        One point of length 1 for each note (of length 0 where no word is left), and whether the note says anything by
        which it can be placed.
    """
    counter = CountVectorizer(token_pattern=WORD, stop_words=STOP_WORDS, binary=True, strip_accents="unicode")
    try:
        said = counter.fit_transform(notes).astype(np.float64)
    except ValueError:  # scikit-learn's way to say that no word is left
        return np.zeros((len(notes), 1)), np.zeros(len(notes), dtype=np.bool_)
    said = _frequent(_without_slips(said, counter.get_feature_names_out()))
    company = _company(said)
    strength = company.max(axis=1)
    strength = strength / max(float(strength.max()), 1e-9)
    frequency = np.asarray(said.sum(axis=0)).ravel()
    weight = (np.log(len(notes) / frequency) + 0.3) * (ALONE + np.sqrt(strength))
    step = REACH * company / np.maximum(company.sum(axis=1, keepdims=True), 1e-9)
    spread = np.eye(len(step)) + step + step @ step / REACH
    weighed = csr_matrix(said.multiply(weight[None, :]))
    placed = np.asarray(said.multiply(strength[None, :]).max(axis=1).todense()).ravel() >= TELLING
    return _on_topics(weighed, spread), placed | _repeated(said)


def _on_topics(weighed: csr_matrix, spread: Floats) -> Floats:
    """The notes on the strongest directions of an even sample of them."""
    sample = np.unique(np.linspace(0, weighed.shape[0] - 1, min(weighed.shape[0], _LEARNT_FROM)).astype(np.int64))
    described = normalize(weighed[sample] @ spread)
    topics = min(TOPICS, min(described.shape) - 1)
    if topics < 2:
        return np.asarray(normalize(weighed @ spread))
    directions = TruncatedSVD(topics, random_state=0).fit(described).components_.T
    return np.asarray(normalize(weighed @ (spread @ directions)))


def _company(said: csr_matrix) -> Floats:
    """How surely each two words turn up together more often than by chance; 0 where they do not.

    The signed root of the log-likelihood ratio (Dunning 1993), which is standard normal where chance rules.
    """
    alone = np.asarray(said.sum(axis=0)).ravel()
    together = np.asarray((said.T @ said).todense())
    expected = np.outer(alone, alone) / said.shape[0]
    ratio = 2 * (together * np.log(np.where(together > 0, together, expected) / expected) - (together - expected))
    root = np.where(together > expected, np.sqrt(np.maximum(ratio, 0.0)), 0.0)
    np.fill_diagonal(root, 0.0)
    return np.where(root > ndtri(1.0 - CHANCE / max(2, len(root))), root, 0.0)


def _without_slips(said: csr_matrix, words: Ints) -> csr_matrix:
    """Count slips of the pen and other endings as the frequent word that they resemble."""
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3)).fit_transform(words)
    alike = csr_matrix(letters @ letters.T)
    frequency = np.asarray(said.sum(axis=0)).ravel()
    meant = np.arange(len(words))
    for word in range(len(words)):
        near = slice(alike.indptr[word], alike.indptr[word + 1])
        others, likeness = alike.indices[near], alike.data[near]
        fits = others[(likeness >= SLIP) & (frequency[others] >= SLIP_RATIO * frequency[word])]
        if len(fits):
            meant[word] = fits[np.argmax(frequency[fits])]
    moved = csr_matrix((np.ones(len(meant)), (np.arange(len(meant)), meant)), shape=(len(meant), len(meant)))
    merged = csr_matrix(said @ moved)
    merged.data[:] = 1.0
    return merged


def _frequent(said: csr_matrix) -> csr_matrix:
    frequency = np.asarray(said.sum(axis=0)).ravel()
    kept = np.sort(np.argsort(-frequency, kind="stable")[:MOST_WORDS])
    return csr_matrix(said[:, kept[frequency[kept] > 0]])


def _repeated(said: csr_matrix) -> Flags:
    """Whether a note with exactly these words was written often."""
    rows = [tuple(np.sort(said.indices[a:b]).tolist()) for a, b in zip(said.indptr, said.indptr[1:], strict=False)]
    count: dict[tuple[int, ...], int] = {}
    for row in rows:
        count[row] = count.get(row, 0) + 1
    return np.array([bool(row) and count[row] >= REPEATED for row in rows], dtype=np.bool_)
