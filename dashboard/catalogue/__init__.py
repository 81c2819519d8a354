"""The catalogue of data sets: seen by everybody signed in, asked for, decided, fetched with a key."""
