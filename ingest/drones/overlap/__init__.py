"""Pictures of one flight that overlap: matched, laid together on one plane, and how far they disagree."""
