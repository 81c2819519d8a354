"""Supervision campaigns (专项督查): a visit list, a check-list form, problems, a report; all of it data."""
