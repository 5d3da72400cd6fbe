"""Scores of tags and trees against a gold standard; no torch."""
