"""The mathematics of training: arrays in, numbers out. Knows no HTTP, no database and no queue."""
