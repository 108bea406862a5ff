"""The command line: `vidro up`, `demo`, `worker`, `migrate`, `keys`."""
