"""The city on a map."""
