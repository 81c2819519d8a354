"""What routes and desk pages do with devices, cameras and rules: rights, changes and their audit entries."""
