"""Words on disk: sentences, treebanks, vocabularies; no torch."""
