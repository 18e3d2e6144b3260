"""Model weights: what there is, where it comes from, and verified files on this machine."""

from offhand.weights.cache import check, folder, home, identity, is_of_hub, locate, missing
from offhand.weights.fetch import ensure, pull
from offhand.weights.manifest import MANIFEST, File, Hub, Weights, Wheel

__all__ = [
    "MANIFEST",
    "File",
    "Hub",
    "Weights",
    "Wheel",
    "check",
    "ensure",
    "folder",
    "home",
    "identity",
    "is_of_hub",
    "locate",
    "missing",
    "pull",
]
