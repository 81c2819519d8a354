"""双公示: publishing licences and penalties in time, checks of the rows, credit publicity."""
