"""Imported last by the server that workers are forked from: what is there stays as it is.

Python's collector writes into every object it looks at, and a page that is written to is no longer
shared between server and workers.
"""

import gc

gc.collect()
gc.freeze()
gc.enable()
