"""Kinds of models, one a file, their contract (`base.py`), and how each is solved, written as its definition. Of the engine,
models import network, tables, parts and the files beside the rooms; whoever trains hands them compiled paths."""
