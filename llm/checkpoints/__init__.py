"""From a checkpoint folder to a loaded model."""
