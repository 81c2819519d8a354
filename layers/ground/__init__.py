"""The ground as pictures: streets and buildings drawn once by the server, for browsers whose graphics are slow."""
