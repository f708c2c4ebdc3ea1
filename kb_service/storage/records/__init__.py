"""Typed queries over what documents state, as SQL: filters, selections, values."""
