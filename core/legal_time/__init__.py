"""The legal clock: limits, working calendars, and when a limit ends.  Pure."""
