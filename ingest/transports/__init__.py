"""How bytes arrive: TCP, MQTT, HTTP, files."""
