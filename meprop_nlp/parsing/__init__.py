"""The symbolic part of dependency parsing: transitions, oracles, spanning trees; no torch."""
