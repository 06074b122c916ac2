"""Nouns: frozen dataclasses that all other packages use. No I/O, no framework."""
