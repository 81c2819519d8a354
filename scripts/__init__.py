"""Scripts of the makers: set-up, lock file, migrations, generated references."""
