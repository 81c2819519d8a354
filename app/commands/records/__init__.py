"""Commands about what exists and is reported: items, registers, filing."""
