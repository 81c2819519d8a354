"""The API as rooms: which there are, how one is entered late, what tells of them all."""
