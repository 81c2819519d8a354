"""Simulated devices, one file a kind: they speak the real protocol over the real socket.

A module defines ``HELP``, ``configure(parser)`` and ``async run(args, settings, stop) -> dict`` (its figures).
"""
