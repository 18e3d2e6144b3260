"""The weights that offhand knows: source, version, checksum, licence, and what needs them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a set of weights.

    Attributes
    ----------
    name
        Its name in the cache.
    sha256
        Checksum of its content in hexadecimal.
    size
        Length in bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A set of files that one model needs.

    Attributes
    ----------
    name
        The name used in ``offhand weights pull NAME`` and in the configuration.
    version
        Version of the source.
    licence
        SPDX identifier.
    needed_by
        Signals that use it.
    files
        The files.
    """

    name: str
    version: str
    licence: str
    needed_by: tuple[str, ...]
    files: tuple[File, ...]


MANIFEST: dict[str, Weights] = {
    entry.name: entry
    for entry in (
        Weights(
            name="mediapipe_hands",
            version="0.10.21",
            licence="Apache-2.0",
            needed_by=("hands",),
            files=(
                File(
                    name="palm_detection_full.tflite",
                    sha256="1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
                    size=2339846,
                ),
                File(
                    name="hand_landmark_full.tflite",
                    sha256="11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
                    size=5478917,
                ),
            ),
        ),
        Weights(
            name="mediapipe_pose",
            version="0.10.21",
            licence="Apache-2.0",
            needed_by=("pose",),
            files=(
                File(
                    name="pose_detection.tflite",
                    sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
                    size=2959046,
                ),
                File(
                    name="pose_landmark_full.tflite",
                    sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
                    size=6440512,
                ),
            ),
        ),
        Weights(
            name="efficientnet_lite0",
            version="0.1.0",
            licence="Apache-2.0",
            needed_by=("appearance", "tools"),
            files=(
                File(
                    name="efficientnet-lite0-57934424.pth",
                    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                    size=18826032,
                ),
            ),
        ),
    )
}
