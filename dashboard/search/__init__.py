"""Search over everything: cases (an index that finds two Chinese characters), cameras, sites, streets, communities."""
