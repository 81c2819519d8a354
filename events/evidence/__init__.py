"""Evidence that stands up: the hash-chained audit log, its anchors, signatures, sealed packages and their check."""
