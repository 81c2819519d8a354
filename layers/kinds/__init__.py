"""Plug-ins, one file per kind of map layer."""
