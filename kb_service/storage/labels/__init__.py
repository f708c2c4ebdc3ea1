"""Labels of bases, and which documents carry them."""
