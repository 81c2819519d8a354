"""Pictures from above: vehicles at the scale that the model knows."""
