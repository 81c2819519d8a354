"""Observations to cases to closed."""
