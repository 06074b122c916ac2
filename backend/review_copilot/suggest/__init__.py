"""From an inspection to the draft that a reviewer sees. Pure functions."""
