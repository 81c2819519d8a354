"""REST, live push, tiles, media, video: one module a topic, each with ``router``."""
