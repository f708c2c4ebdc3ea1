"""Comparisons with golden values: what `python -m llm parity` runs."""
