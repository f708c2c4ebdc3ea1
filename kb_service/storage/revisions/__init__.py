"""Revisions: their rows, how one is published, and how one is read back."""
