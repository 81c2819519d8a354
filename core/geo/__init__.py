"""Coordinates, grid cells, footprints."""
