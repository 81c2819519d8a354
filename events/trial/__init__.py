"""Trying a kind of case: a script is played against a throw-away instance with a clock of its own."""
