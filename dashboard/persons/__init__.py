"""What staff do for people without an account: codes for a file, a rating, an inspector on site; their contact."""
