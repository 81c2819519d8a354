"""Route files (WPML in KMZ): check, write and read them (standards/10 §2)."""
