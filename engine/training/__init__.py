"""A job's mathematics from its request to its verdict: completed, prepared, trained, evaluated, used for predictions. Of the
engine, training imports every room but glass."""
