"""From an address to pictures: connections, packets, timing, recordings."""
