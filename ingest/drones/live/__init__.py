"""Aircraft in the air: gateways of the Cloud API on our broker, poses for the map, orders with their answers."""
