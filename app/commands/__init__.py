"""The command line, one file a command.

A module's name (``_`` read as ``-``) is the command, unless it sets ``NAME`` (``import`` cannot be a module).
It defines ``HELP``, ``configure(parser)`` and ``run(args) -> int`` (the exit status).
"""
