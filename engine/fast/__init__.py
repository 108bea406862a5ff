"""Compiled paths that stand beside the definitions in `network` and `models`, never instead of them: each has the bits of its
definition, or is held to it by tests. Of the engine, they import models and the rooms below."""
