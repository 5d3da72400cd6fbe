"""What a training draws on beside its treebank."""
