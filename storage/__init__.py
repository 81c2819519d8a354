"""The one engine, the one schema, the only commit."""
