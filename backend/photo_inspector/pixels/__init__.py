"""Frames of an image and the array tools that measurements share. Knows no flaw."""
