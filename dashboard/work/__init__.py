"""A person's work over every kind of case: lists, reports, drafts, commands to many, the printable file."""
