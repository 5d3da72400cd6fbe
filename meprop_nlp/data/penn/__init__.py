"""The Penn Treebank: bracketed trees, head rules, sections, punctuation."""
