"""The resources that go out and the bodies that come in, a family a file. Each is the same object everywhere: created, got,
listed, in an event. May import the engine and the store, and knows no FastAPI.
"""
