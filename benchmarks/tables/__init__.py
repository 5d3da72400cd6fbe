"""Markdown tables of benchmarks/results/*.json."""
