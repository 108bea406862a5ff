"""A network: layers of every kind, one vector of parameters, the forward and the backward pass. Of the engine, it imports
parts and the files beside the rooms."""
