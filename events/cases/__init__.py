"""The case engine: definitions as data, lifecycle, effects, clocks, the one service that moves cases, read models."""
