"""Bridges to the libraries that people use around a model; each needs its extra, and only that."""
