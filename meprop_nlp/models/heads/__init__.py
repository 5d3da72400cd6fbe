"""The heads: one task a module."""
