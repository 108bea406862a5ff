"""How a file was read: found with evidence from all of its cells, stored with the dataset, and applied again to records.

May import the engine and store.errors. The readers of files in store.formats import it, and it imports none of them.
"""
