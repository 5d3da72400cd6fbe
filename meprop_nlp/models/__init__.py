"""Trained models over plain arrays: what `tag`, `parse` and `evaluate` run; no torch."""
