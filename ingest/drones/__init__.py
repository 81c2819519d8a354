"""Drones: where a picture's pixels lie on the ground, survey plans, true height.  Pure functions on plain numbers."""
