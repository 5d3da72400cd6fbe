"""Other forms of sentences than CoNLL: JSON, tables, and lines of words."""
