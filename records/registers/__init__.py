"""Registers: typed, dated, owned, placed records with their history, rights, import, visits and corrections."""
