"""CoNLL-U, CoNLL-X and tab-separated words: their layouts, reading, writing, checking."""
