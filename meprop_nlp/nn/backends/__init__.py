"""The kernels: plain PyTorch, the native core, CUDA and Triton; `choose.py` chooses among them."""
