"""Rasters made here: mosaics of flights as Cloud Optimised GeoTIFF, and what changed between two of them."""
