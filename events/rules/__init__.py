"""Plug-ins, one file per kind of rule."""
