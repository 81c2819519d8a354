"""Whole districts that run side by side."""
