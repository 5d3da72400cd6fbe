"""Whose the files are that a training writes: the lock, and what stands beside a model."""
