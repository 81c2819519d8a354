"""Questions to the legal clock."""
