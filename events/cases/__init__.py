"""The case engine: definitions as data, lifecycle, effects, clocks, the service through which cases move, and their read models."""
