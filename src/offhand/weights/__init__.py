"""Model weights: what there is, where it comes from, and verified files on this machine."""

from offhand.weights.cache import home, identity, locate, missing
from offhand.weights.manifest import MANIFEST, File, Weights

__all__ = ["MANIFEST", "File", "Weights", "home", "identity", "locate", "missing"]
