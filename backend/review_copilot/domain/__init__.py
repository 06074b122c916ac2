"""Nouns: frozen dataclasses that every other room speaks in. No I/O, no framework."""
