"""Audit chain, anchors, sealed packages and the nightly sweep."""
