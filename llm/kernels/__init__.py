"""Products of activations with int8 and int4 weights: layout, implementations and the choice."""
