"""How a case goes on: whose turn it is, which deadline shows, what happens by itself, what is kept of commands."""
