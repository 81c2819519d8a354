"""Cases in the formats of other platforms: CAP 1.2 and Open311."""
