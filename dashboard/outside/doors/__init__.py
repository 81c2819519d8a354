"""The two ways from the outside door to the inside: over the bus, or as a narrow database role."""
