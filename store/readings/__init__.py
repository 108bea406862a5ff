"""How a file was read: found with evidence from all of its cells, stored with the dataset, and applied again to records.

May import store.formats.options and store.errors; the readers in store.formats import it.
"""
