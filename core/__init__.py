"""Records that cross package borders, and what every package needs. Imports nothing of ours."""
