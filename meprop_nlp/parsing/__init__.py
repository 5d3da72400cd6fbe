"""Dependency parsing with symbols only: transitions, oracles, features; no torch."""
