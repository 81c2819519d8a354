"""Connections to other platforms: one file a kind of connection, and what carries them."""
