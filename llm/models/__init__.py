"""What a model computes: configs, layers, the ragged forward, the plain loop."""
