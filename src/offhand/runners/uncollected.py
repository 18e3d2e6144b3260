"""Imported first by the server that workers are forked from: imports leave nothing to collect."""

import gc

gc.disable()
