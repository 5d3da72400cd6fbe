"""MNIST, the papers' third task: reading the images, the network, training and evaluation."""
