"""Registers, service items and filings: what exists and what is reported.  Knows nothing of cases."""
