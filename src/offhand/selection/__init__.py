"""Choices made without labels: weights of late fusion, and one clustering among candidates.

Both rest on what modalities confirm of each other (:mod:`offhand.evaluation.concordance`).
"""

VERSION = 8
"""Raised whenever the same spaces get other weights, or another clustering is chosen."""
