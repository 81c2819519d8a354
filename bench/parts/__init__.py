"""What the benchmarks share: rigs, films, loads, peers."""
