"""Flame and smoke: what lives like a flame, what is only mirrored, what is watched over some seconds."""
