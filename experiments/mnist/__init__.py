"""MNIST, the third task of the papers."""
