"""Commands about devices: decode, register, gateways."""
