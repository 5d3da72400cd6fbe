"""Where tokens and sentences end in a running text."""
