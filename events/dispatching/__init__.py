"""Who handles a case: routing with its reasons, the duty roster, inspectors, emergency plans."""
