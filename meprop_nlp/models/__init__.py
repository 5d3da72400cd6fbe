"""Trained models over plain arrays, without torch: what `tag`, `parse` and `evaluate` run."""
