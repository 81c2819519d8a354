"""What browsers load of our own and of the libraries: compressed once, under addresses that name the content."""
