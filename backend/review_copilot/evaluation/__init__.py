"""Compare drafts with what people submitted. Knows no file, no clock, no model, and no Label Studio.

`truth` defines what drafts are compared with, `scores` scores one draft, `figures` computes figures with intervals from
many, `evaluation` puts one or two setups together, and `evaluation_json` writes the result.
"""
