"""The command line: `vidro up`, `demo`, `worker`, `migrate`, `keys`."""

import gc

# Imports leave many objects and no garbage: to look for it would lengthen every start. The processes that stay set this anew
# once they are up.
gc.set_threshold(100_000)
