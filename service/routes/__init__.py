"""One file a noun; an endpoint is one function in its noun's file."""
