"""Whether what is stored is whole: every invariant, every row, every blob."""
