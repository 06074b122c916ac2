"""Pools, limits and groups for concurrent work. Knows no task, no model and no SQL."""
