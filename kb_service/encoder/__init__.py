"""A pretrained encoder read without torch: weights, layers, tokens. Knows no task."""
