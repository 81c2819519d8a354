"""Plug-ins, one file per algorithm."""
