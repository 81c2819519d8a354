"""Who is told what, when, and over which channel."""
