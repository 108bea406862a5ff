"""Benchmarks, one file each, run by scripts/bench."""
