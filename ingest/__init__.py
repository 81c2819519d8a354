"""Bytes to readings to observations."""
