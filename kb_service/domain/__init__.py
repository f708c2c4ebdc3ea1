"""The words of the product: values, rules and ports. Knows only the standard library."""
