"""How people come to their accounts: in one go from a table, by a one-time code, and with passwords fit to use."""
