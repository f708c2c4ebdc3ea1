"""Quantised products, attention and pointwise steps on a CPU: compiled, or by torch."""
