"""Turn an inspection into the draft that a reviewer sees. Pure functions."""
