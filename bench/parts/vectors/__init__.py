"""What is compared by ``bench vectors``: a function of the product for every kind of vector."""
