"""OGC SensorThings 1.1 over devices and their readings: read with OData's query options, observations created."""
