"""The symbolic part of dependency parsing: transitions, oracles, features; no torch."""
