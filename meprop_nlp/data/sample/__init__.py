"""The built-in sample treebank."""
