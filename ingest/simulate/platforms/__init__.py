"""Other platforms of the district, simulated: they speak over real sockets as the real ones would."""
