"""A pretrained encoder read by numpy alone: weights, layers, tokens. Knows no task."""
