"""The parts that a training is put together from: activations, losses, optimizers, schedules, initializers, scalers, metrics;
each is one class with its fields, its formula and its behavior. Of the engine, parts import only the files beside the rooms."""
