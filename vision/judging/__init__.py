"""From pictures to observations: gates, zones, tracks, hysteresis, the analyzer."""
