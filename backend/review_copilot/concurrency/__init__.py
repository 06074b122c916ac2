"""Pools, limits, and batches for concurrent work. Knows no task, no model, and no SQL."""
