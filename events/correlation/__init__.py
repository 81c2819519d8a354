"""One happening, one case: what a finding, a reading or a report belongs to."""
