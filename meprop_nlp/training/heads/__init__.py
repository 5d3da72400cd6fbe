"""The torch side of each head: its network, its training examples and its loss."""
