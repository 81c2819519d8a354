"""What a controller's Pilot 2 asks of a third-party cloud over HTTP (Cloud API 1.x)."""
