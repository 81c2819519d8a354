"""Connections to other platforms, as an administrator makes, tries and changes them."""
