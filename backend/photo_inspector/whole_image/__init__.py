"""Measurements of the whole image: one module for each family. Knows no guideline."""
