"""Exemplars: the segments that show a cluster best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offhand.records import FloatArray, IntArray

EXEMPLARS_VERSION = 1
"""Raised whenever the same clusters get other exemplars."""

MAX_REFERENCE = 500
"""Members that distances are summed over; of a larger cluster, evenly chosen ones."""


@dataclass(frozen=True, kw_only=True)
class Exemplar:
    """The segment of one clip that lies nearest to the middle of a cluster.

    Attributes
    ----------
    label
        The cluster.
    row
        Index of the segment's row.
    is_medoid
        Whether it is the nearest of all clips.
    """

    label: int
    row: int
    is_medoid: bool


def exemplars(space: FloatArray, label: IntArray, clip_id: npt.NDArray[np.str_]) -> list[Exemplar]:
    """Find one exemplar for each cluster and clip: the least sum of distances to the members.

    Parameters
    ----------
    space
        ``(n, d)`` coordinates.
    label
        ``(n,)``; noise has no exemplars.
    clip_id
        ``(n,)``.

    Returns
    -------
    list of Exemplar
        In order of cluster, then clip.
    """
    from sklearn.metrics import pairwise_distances  # takes a second to import

    found = []
    for cluster in np.unique(label[label >= 0]):
        members = np.flatnonzero(label == cluster)
        step = -(-len(members) // MAX_REFERENCE)
        eccentricity = pairwise_distances(space[members], space[members[::step]]).sum(axis=1)
        medoid = members[np.argmin(eccentricity)]
        for clip in np.unique(clip_id[members]):
            own = clip_id[members] == clip
            row = members[own][np.argmin(eccentricity[own])]
            found.append(Exemplar(label=int(cluster), row=int(row), is_medoid=bool(row == medoid)))
    return found
