"""Measurements, side by side with the usual way: `python -m benchmarks`. Not tests: a timing proves nothing in CI."""
