"""Pages, API, live push."""
