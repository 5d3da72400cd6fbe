"""The seeded grammar and the hand-written sentences behind the sample treebank."""
