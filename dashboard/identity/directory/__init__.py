"""The district's directory: departments and staff are pulled from it, compared with ours, and taken over."""
