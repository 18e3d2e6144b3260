"""Posture and its rhythm, from the keypoints of the body in view.

Lengths are in torso lengths and angles between limbs, so that neither the size of the image nor the
distance from the camera matters; depth is left out, as the models only guess it. The arms enter as
the working one, whose wrist moves faster, and the other one: work done with the left hand, or seen
in a mirror, is the same activity. What cannot be seen is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from offhand.modalities.base import (
    mean_known,
    resolved_hz,
    segment_series,
    tabulate,
    tempo_columns,
    tempo_features,
)
from offhand.records import Features, FloatArray, LongSignal, Segments, Signal, option
from offhand.rhythm.periodicity import estimate_period
from offhand.rhythm.spectrum import band_edges

RATE_HZ = 10.0
SIDES = ("left", "right")
JOINTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
POINTS = tuple(f"{side}_{joint}" for joint in JOINTS for side in SIDES)
AXES = ("x", "y")

ARMS = ("working", "other")

SPREADS = {
    "torso_lean_deg": "torso_lean_spread_deg",
    **{f"{arm}_elbow_deg": f"{arm}_elbow_spread_deg" for arm in ARMS},
    **{f"{arm}_wrist_height": f"{arm}_wrist_height_spread" for arm in ARMS},
}
"""Measures whose standard deviation over the segment counts beside their mean."""

BOB_EDGES_HZ = band_edges(0.2, 3.2, 2)
"""Slow bobbing (a cycle of 1.25 to 5 s: squatting, laying bricks) and fast (walking, hammering)."""

BOB_COLUMNS = tempo_columns(("bob",), BOB_EDGES_HZ)
"""Logarithm of the power of the shoulders' up and down, in torso lengths squared per Hz. Power at a
tempo exists for every segment; a period does not, and so is for the reader only."""

COLUMNS = (
    *("shoulder_span", "wrist_span", "torso_lean_deg", "hip_deg", "knee_deg"),
    *(f"{arm}_{name}" for arm in ARMS for name in ("elbow_deg", "wrist_height", "wrist_speed")),
    *SPREADS.values(),
    *BOB_COLUMNS,
)
"""Spans between left and right, in torso lengths; lean of the torso from upright; angle at hip,
knee and elbow, 180 where stretched, hip and knee as the mean of what is seen of both sides; wrist
in torso lengths above its shoulder, and in torso lengths per second relative to it."""

INFORMATIVE = ("body_share", "visibility", "bob_period_s", "bob_amplitude")

MIN_SAMPLES_PER_CYCLE = 4.0
"""Samples of the signal that a cycle must hold for its period to be believed."""


@dataclass(frozen=True, kw_only=True)
class BodyPose:
    """Eighteen measures of posture and movement.

    Attributes
    ----------
    min_visibility
        Visibility, 0 to 1, below which a keypoint counts as not seen.
    min_share
        Share of a segment's samples that a measure must be known in.
    """

    name: ClassVar[str] = "body_pose"
    version: ClassVar[int] = 3
    signals: ClassVar[tuple[str, ...]] = ("pose",)
    optional_signals: ClassVar[tuple[str, ...]] = ()

    min_visibility: float = option(
        0.5, "visibility, 0 to 1, below which a keypoint counts as not seen"
    )
    min_share: float = option(
        0.5, "share of a segment in which a body, and each keypoint a measure uses, must be seen"
    )

    def __post_init__(self) -> None:
        for name in ("min_visibility", "min_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, must lie in 0..1")

    def describe(self, signals: Mapping[str, LongSignal], segments: Segments) -> Features:
        """Describe each segment by the body in view; see :class:`offhand.records.Features`."""
        pose = signals["pose"].whole()
        seen = _seen(pose, self.min_visibility)
        visibility = np.column_stack([pose.channel(f"{name}_visibility") for name in POINTS])
        highest_hz = min(RATE_HZ / 2, resolved_hz(pose))
        rows, bare = [], 0
        for start_s, stop_s in zip(segments.start_s, segments.stop_s, strict=True):
            inside = (pose.time_s >= start_s) & (pose.time_s < stop_s)
            found = ~np.isnan(pose.channel("score")[inside])
            share = float(found.mean()) if len(found) else np.nan
            row = {"body_share": share, "visibility": mean_known(visibility[inside])}
            if share > 0 and share >= self.min_share:
                series = segment_series(
                    seen, seen.channels, rate_hz=RATE_HZ, start_s=start_s, stop_s=stop_s
                ).reshape(-1, len(POINTS), len(AXES))
                points = dict(zip(POINTS, series.swapaxes(0, 1), strict=True))
                row |= _measures(points, highest_hz=highest_hz, min_share=self.min_share)
            else:
                bare += 1
            rows.append(row)
        notes = {}
        if bare:
            notes["no_body"] = (
                f"{bare} of {len(rows)} segments are not described: a body is in view in less "
                f"than {self.min_share:.0%} of their frames"
            )
        return tabulate(
            self.name, segments, rows, informative=INFORMATIVE, columns=COLUMNS, notes=notes
        )


def _seen(pose: Signal, min_visibility: float) -> Signal:
    """Return the coordinates of the keypoints used, NaN where they are not visible."""
    columns = []
    for name in POINTS:
        hidden = ~(pose.channel(f"{name}_visibility") >= min_visibility)
        columns += [np.where(hidden, np.nan, pose.channel(f"{name}_{axis}")) for axis in AXES]
    return Signal(
        name=pose.name,
        time_s=pose.time_s,
        channels=tuple(f"{name}_{axis}" for name in POINTS for axis in AXES),
        values=np.column_stack(columns),
    )


def _measures(
    points: Mapping[str, FloatArray], *, highest_hz: float, min_share: float
) -> dict[str, float]:
    """Return the measures of one segment by its keypoints, ``(n, 2)`` each, evenly sampled."""
    shoulders = (points["left_shoulder"] + points["right_shoulder"]) / 2
    torso = shoulders - (points["left_hip"] + points["right_hip"]) / 2
    length = _enough(np.linalg.norm(torso, axis=1), min_share)
    unit = float(np.quantile(length, 0.9)) if len(length) else np.nan  # turning only shortens it
    bob = -shoulders[:, 1] / unit
    series = {
        "shoulder_span": _apart(points["left_shoulder"], points["right_shoulder"]) / unit,
        "wrist_span": _apart(points["left_wrist"], points["right_wrist"]) / unit,
        "torso_lean_deg": _angle_deg(torso, np.broadcast_to([0.0, -1.0], torso.shape)),
        "hip_deg": _both_sides(points, "shoulder", "hip", "knee"),
        "knee_deg": _both_sides(points, "hip", "knee", "ankle"),
        **_arms(points, unit, min_share),
    }
    row = _bobbing(bob, highest_hz=highest_hz, min_share=min_share)
    for name, samples in series.items():
        known = _enough(samples, min_share)
        row[name] = mean_known(known)
        if name in SPREADS:
            row[SPREADS[name]] = float(known.std()) if len(known) else np.nan
    return row


def _arms(points: Mapping[str, FloatArray], unit: float, min_share: float) -> dict[str, FloatArray]:
    """Return the measures over time of the working arm and of the other one."""
    sides = []
    for side in SIDES:
        elbow_deg = _joint_deg(points, side, "shoulder", "elbow", "wrist")
        reach = (points[f"{side}_wrist"] - points[f"{side}_shoulder"]) / unit
        reach[np.isnan(elbow_deg)] = np.nan  # the hidden arm's wrist is at best guessed
        velocity = np.gradient(reach, 1 / RATE_HZ, axis=0) if len(reach) > 1 else reach * np.nan
        sides.append(
            {
                "elbow_deg": elbow_deg,
                "wrist_height": -reach[:, 1],
                "wrist_speed": np.linalg.norm(velocity, axis=1),
            }
        )
    speeds = [mean_known(_enough(side["wrist_speed"], min_share)) for side in sides]
    if speeds[1] > speeds[0] or np.isnan(speeds[0]):
        sides.reverse()
    return {
        f"{arm}_{name}": samples
        for arm, side in zip(ARMS, sides, strict=True)
        for name, samples in side.items()
    }


def _bobbing(bob: FloatArray, *, highest_hz: float, min_share: float) -> dict[str, float]:
    """Return power, period and amplitude of the shoulders' height, in torso lengths."""
    row = tempo_features(
        bob[:, None], BOB_COLUMNS, BOB_EDGES_HZ, rate_hz=RATE_HZ, highest_hz=highest_hz
    )
    known = _enough(bob, min_share)
    row["bob_amplitude"] = float(np.sqrt(2) * known.std()) if len(known) else np.nan  # a sinusoid's
    period_s = estimate_period(bob, rate_hz=RATE_HZ).period_s
    resolved = period_s * 2 * highest_hz >= MIN_SAMPLES_PER_CYCLE
    row["bob_period_s"] = period_s if resolved else np.nan
    return row


def _enough(samples: FloatArray, min_share: float) -> FloatArray:
    """Return the samples that are known, none of them where they are too few."""
    known = samples[~np.isnan(samples)]
    return known if len(known) >= min_share * len(samples) else known[:0]


def _apart(points: FloatArray, others: FloatArray) -> FloatArray:
    """Return the distance ``(n,)`` between points ``(n, 2)``."""
    return np.asarray(np.linalg.norm(points - others, axis=1))


def _both_sides(points: Mapping[str, FloatArray], *joints: str) -> FloatArray:
    """Return the angle ``(n,)`` at a joint: the mean of both sides, or the side that is seen."""
    left, right = (_joint_deg(points, side, *joints) for side in SIDES)
    mean = (left + right) / 2
    return np.where(np.isnan(mean), np.where(np.isnan(left), right, left), mean)


def _joint_deg(points: Mapping[str, FloatArray], side: str, *joints: str) -> FloatArray:
    """Return the angle ``(n,)`` at the second of three joints, 180 where they are in line."""
    start, middle, end = (points[f"{side}_{joint}"] for joint in joints)
    return _angle_deg(start - middle, end - middle)


def _angle_deg(vectors: FloatArray, others: FloatArray) -> FloatArray:
    """Return the angle ``(n,)`` between vectors ``(n, 2)``, 0 to 180."""
    cross = vectors[:, 0] * others[:, 1] - vectors[:, 1] * others[:, 0]
    return np.asarray(np.degrees(np.arctan2(np.abs(cross), (vectors * others).sum(axis=1))))
