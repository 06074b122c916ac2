"""Lettering laid over a photograph. Knows no guideline."""
