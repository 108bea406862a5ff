"""A run's diagnosis: rules that look at its curves, its layers, its table and its predictions, and say what is wrong.

A rule is one function in `rates`, `layers`, `fit`, `rows`, `table` or `told`, marked by `rule`; `rules` walks through all.
"""
