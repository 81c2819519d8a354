"""Map layers that a district brings: taken in from files, kept below ``data_dir/layers``, listed for the map."""
