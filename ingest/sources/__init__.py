"""Plug-ins, one file per protocol."""
