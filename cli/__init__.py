"""The command line: `vidro up`, `demo`, `worker`, `migrate`, `keys`."""

import gc

# Imports leave a million objects and no garbage: not to look for any makes a start a fifth faster. The processes that stay
# set this anew once they are up.
gc.set_threshold(100_000)
