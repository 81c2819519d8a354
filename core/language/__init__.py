"""In which language somebody reads: names that exist in both, and the words inside refusals."""
