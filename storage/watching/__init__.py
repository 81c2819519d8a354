"""What tells a job that it is worth looking at the database again."""
