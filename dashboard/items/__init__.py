"""The catalogue of service items, the counter and bundles: rights judged, answers for pages and routes."""
