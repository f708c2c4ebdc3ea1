"""Documents: their rows, and all that happens to one from its upload to its deletion."""
