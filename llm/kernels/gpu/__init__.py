"""Quantised products and attention on a CUDA device, in Triton."""
