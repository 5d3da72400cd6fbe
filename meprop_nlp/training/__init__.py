"""Training: networks, tasks, the loop, checkpoints, simplification."""
