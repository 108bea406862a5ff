"""The HTTP edge: bodies in, resources out. Never imports the worker."""
