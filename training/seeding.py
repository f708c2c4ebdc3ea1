"""Random numbers that decide what a model sees, never anything secret. Knows no data."""

import random


def seeded(seed: int) -> random.Random:
    """A generator of its own for one step of a training, the same for the same seed."""
    return random.Random(seed)  # noqa: S311 - sampling and order of training data, nothing secret
