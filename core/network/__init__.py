"""What leaves this machine: addresses that are asked, bounded in time, size and where they may lead."""
