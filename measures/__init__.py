"""Measures, checks and boards as data, over cases, registers, filings, devices and readings (docs/boards.md)."""
