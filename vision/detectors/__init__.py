"""Plug-ins, one file per inference engine."""
