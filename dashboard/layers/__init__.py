"""Layers of the map that a district brings: what there is, by right, and their tiles."""
