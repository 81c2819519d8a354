"""Geodata as people bring it: read by batches, placed in WGS 84, geometry repaired, every flaw named."""
