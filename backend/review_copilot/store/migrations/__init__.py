"""Migrations from one schema to the next, run by `open_store`."""
