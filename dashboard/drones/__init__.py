"""Drones on the web: files taken in when their last byte arrives, flights, footprints, places by hand, pictures."""
