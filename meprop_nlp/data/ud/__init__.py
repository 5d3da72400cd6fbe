"""Treebanks of Universal Dependencies from their repositories, at a release."""
