"""Tables as the mathematics sees them: samples, splits, targets, and columns that become matrices and back. Of the engine,
tables import parts and the files beside the rooms."""
