"""The mathematics of training: arrays in, numbers out. It knows no HTTP, no database and no queue.

Its rooms, from the bottom; import-linter holds that nothing imports upwards:

    spec, forms, errors, wording, randomness, backend     what every room needs
    parts ─► tables, network ─► models ─► fast ─► training ─► glass ─► catalog
"""
