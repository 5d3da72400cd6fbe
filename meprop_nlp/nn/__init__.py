"""Layers with meProp's sparsified backward pass, and meSimp's simplification: tensors only."""
