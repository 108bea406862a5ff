"""The glass box: every number of a network and of its training, as a quantity with its formula. It only reads, and imports
every other room of the engine."""
