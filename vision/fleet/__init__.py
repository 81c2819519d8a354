"""Many cameras on many machines: leases, balance, load shedding, patrol, evidence, publishing."""
