"""Clusters of notes beside what their crops look like: join what looks the same, adopt what was not described.

Knows vectors and labels only.
"""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import normalize

from review_copilot.study.table import Flags, Floats, Ints

AS_ALIKE = 0.8
"""Two clusters whose crops resemble each other by this share of how much they resemble themselves are one pattern."""
LEAST_ALIKE = 0.3
"""Mean cosine within a cluster below which its crops have nothing in common."""
FEWEST_SEEN = 3


def standard_looks(features: Floats, seen: Flags) -> Floats:
    """Crops as vectors of length 1: in which respects each differs from the middle of all."""
    if not seen.any():
        return np.zeros((len(features), 1))
    middle, spread = features[seen].mean(axis=0), features[seen].std(axis=0) + 1e-9
    return np.asarray(normalize(np.where(seen[:, None], (features - middle) / spread, 0.0)))


def joined_by_looks(looks: Floats, seen: Flags, labels: Ints) -> Ints:
    """Join clusters whose crops are as like each other's as their own, the likest first.

    Args:
        looks: From `standard_looks`.
        seen: Which crops were looked at.
        labels: Cluster of each; -1 for none.
    """
    labels = labels.copy()
    while labels.max() >= 1:
        likeness = _likeness(looks, seen, labels)
        within = np.diag(likeness)
        least = AS_ALIKE * np.minimum.outer(within, within)
        fits = (likeness >= least) & (np.minimum.outer(within, within) >= LEAST_ALIKE)
        np.fill_diagonal(fits, val=False)
        if not fits.any():
            break
        one, two = np.unravel_index(int(np.argmax(np.where(fits, likeness, -np.inf))), fits.shape)
        low, high = sorted((int(one), int(two)))
        labels[labels == high] = low
        labels[labels > high] -= 1
    return labels


def adopted_by_looks(looks: Floats, seen: Flags, labels: Ints) -> Ints:
    """Give each crop that no cluster holds to the one that it resembles as its own members do, if there is one."""
    if labels.max() < 0:
        return labels
    within = np.diag(_likeness(looks, seen, labels))
    clusters = range(int(labels.max()) + 1)
    empty = np.full(len(labels), -np.inf)
    near = [
        (looks @ looks[(labels == label) & seen].T).mean(axis=1) if within[label] >= LEAST_ALIKE else empty
        for label in clusters
    ]
    ranked = np.stack(near, axis=1)
    best = np.argmax(ranked, axis=1)
    fits = seen & (labels < 0) & (ranked.max(axis=1) >= AS_ALIKE * within[best])
    return np.where(fits, best, labels)


def _likeness(looks: Floats, seen: Flags, labels: Ints) -> Floats:
    """Mean cosine between the members of two clusters, and within each (a crop with itself left out)."""
    size = int(labels.max()) + 1
    found = np.full((size, size), -1.0)
    members = [looks[(labels == label) & seen] for label in range(size)]
    for one in range(size):
        count = len(members[one])
        if count >= FEWEST_SEEN:
            total = float((members[one] @ members[one].T).sum())
            found[one, one] = (total - count) / (count * (count - 1))
        for two in range(one):
            if min(count, len(members[two])) >= FEWEST_SEEN:
                found[one, two] = found[two, one] = float((members[one] @ members[two].T).mean())
    return found
