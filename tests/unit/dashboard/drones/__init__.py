"""Drones on the web."""
