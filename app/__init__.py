"""Command line, wiring, supervision."""
