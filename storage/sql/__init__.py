"""Statements that are given to the driver as they are."""
