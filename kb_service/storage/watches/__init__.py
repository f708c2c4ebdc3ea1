"""Standing questions, their answers and what changed."""
