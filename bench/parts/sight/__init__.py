"""Films that the benchmarks draw, and pictures at several scales."""
