"""OWLv2 (Minderer et al. 2023, arXiv:2306.09683) through transformers: finding things by prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from offhand.errors import ConfigError, WeightsError
from offhand.models.hub import FloatImages, check_images, packages
from offhand.models.hub_checkpoint import from_folder, load_image_processor, load_model
from offhand.records import ByteArray, IntArray

if TYPE_CHECKING:
    import torch

BATCH = 4
"""Images that are run at once."""

TEMPLATE = "a photo of a {prompt}"
"""What the text model reads, as in the library's documentation and in CLIP, on which it rests."""

Detection = tuple[int, float, tuple[float, float, float, float]]
"""Index of the prompt, score in 0..1, and box (left, top, right, bottom) in pixels."""


class Owlv2:
    """An OWLv2 model with its published pre- and post-processing.

    An image is padded with black to a square (below, or on the right), scaled to the model's input
    and standardised by the processor of the checkpoint. Each patch of it proposes a box and scores
    every prompt. Scores are comparable between images for one prompt, hardly between prompts.

    Parameters
    ----------
    folder
        The checkpoint, such as that of ``google/owlv2-base-patch16-ensemble``: ``config.json``,
        ``preprocessor_config.json``, the tokeniser's files and ``model.safetensors``.
    device
        ``auto``, ``cuda``, ``mps`` or ``cpu``; half precision on all but the last.
    batch
        Images that are run at once; halved where memory runs out.
    threads
        Threads of torch on a processor. More than one may change the last digits.

    Raises
    ------
    WeightsMissing
        The folder, torch, transformers or the device is missing.
    WeightsError
        The checkpoint is of another architecture, damaged, or lacks a file.
    """

    def __init__(
        self, folder: Path, *, device: str = "auto", batch: int = BATCH, threads: int = 1
    ) -> None:
        self._model = load_model(
            folder,
            architecture="Owlv2ForObjectDetection",
            model_type="owlv2",
            device=device,
            batch=batch,
            threads=threads,
        )
        self._processor = load_image_processor(folder, kind="Owlv2ImageProcessor")
        self._tokenizer = _load_tokenizer(folder)
        config = self._model.module.config
        side_px, size = config.vision_config.image_size, dict(self._processor.size)
        if (size.get("height"), size.get("width")) != (side_px, side_px):
            raise WeightsError(
                f"{folder}: the processor scales to {size}, but the model's input is {side_px} px"
            )
        self._n_boxes = (side_px // config.vision_config.patch_size) ** 2
        self._longest = int(config.text_config.max_position_embeddings)
        self._queries: tuple[tuple[str, ...], FloatImages] | None = None

    def score(self, images: ByteArray, prompts: Sequence[str]) -> FloatImages:
        """Score prompts in images: for each, the best box's score.

        Parameters
        ----------
        images
            RGB, uint8, ``(n, height, width, 3)``.
        prompts
            What to look for, such as *brick*; each is put into :data:`TEMPLATE`.

        Returns
        -------
        FloatImages
            ``(n, prompts)`` float32 in 0..1.

        Raises
        ------
        ValueError
            The images have another form, or a prompt is empty.
        ConfigError
            A prompt is too long for the model.
        SignalError
            The memory does not suffice for one image.
        """
        queries = self._embed_prompts(images, prompts)

        def compute(part: slice) -> torch.Tensor:
            scores, _ = self._look(images[part], queries)
            return scores.amax(dim=1)

        return self._model.run(len(images), compute, shape=(len(prompts),))

    def detect(
        self, images: ByteArray, prompts: Sequence[str], *, threshold: float
    ) -> list[list[Detection]]:
        """Find boxes; each counts for the prompt that it fits best, and overlapping ones stay.

        Parameters
        ----------
        images
            RGB, uint8, ``(n, height, width, 3)``.
        prompts
            What to look for, such as *gloved hand*; each is put into :data:`TEMPLATE`.
        threshold
            Boxes with a score above this are returned, 0..1.

        Returns
        -------
        list of list of Detection
            For each image its boxes in falling order of score, cut off at the image's edges; those
            that lie in the padding altogether are left out.

        Raises
        ------
        ValueError
            The images have another form, or a prompt is empty.
        ConfigError
            A prompt is too long for the model.
        SignalError
            The memory does not suffice for one image.
        """
        queries = self._embed_prompts(images, prompts)

        def compute(part: slice) -> torch.Tensor:
            import torch

            return torch.cat([t.float() for t in self._look(images[part], queries)], dim=2)

        shape = (self._n_boxes, len(prompts) + 4)
        found = self._model.run(len(images), compute, shape=shape)
        height_px, width_px = images.shape[1:3]
        return [
            _above(result[:, :-4], result[:, -4:], threshold, size_px=(width_px, height_px))
            for result in found
        ]

    def _look(self, images: ByteArray, queries: FloatImages) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores ``(n, boxes, prompts)`` and boxes ``(n, boxes, 4)``.

        A box is its centre and size, as shares of the side of the padded image.
        """
        model = self._model
        pixels = self._processor(list(images), return_tensors="np")["pixel_values"]
        grid = model.module.image_embedder(pixel_values=model.tensor(np.asarray(pixels)))[0]
        patches = grid.flatten(1, 2)
        wanted = model.tensor(queries).expand(len(images), -1, -1)
        logits = model.module.class_predictor(patches, wanted)[0]
        return logits.float().sigmoid(), model.module.box_predictor(patches, grid)

    def _embed_prompts(self, images: ByteArray, prompts: Sequence[str]) -> FloatImages:
        """Return embeddings ``(prompts, d)``, computed once for as long as prompts stay."""
        check_images(images)
        wanted = tuple(prompts)
        if not wanted or not all(prompt.strip() for prompt in wanted):
            raise ValueError(f"prompts are {wanted}, must be one or more, and none empty")
        if self._queries is None or self._queries[0] != wanted:
            texts = [TEMPLATE.format(prompt=prompt) for prompt in wanted]
            tokens = self._tokenizer(texts, padding="max_length", max_length=self._longest)
            ids = tokens["input_ids"]
            for prompt, row in zip(wanted, ids, strict=True):
                if len(row) > self._longest:
                    raise ConfigError(
                        f"prompt {prompt!r} has {len(row)} tokens, the model reads at most "
                        f"{self._longest}; name a shorter one in signals.tools.prompts"
                    )
            mask = np.asarray(tokens["attention_mask"], np.int64)
            self._queries = wanted, self._embed_tokens(np.asarray(ids, np.int64), mask)
        return self._queries[1]

    def _embed_tokens(self, ids: IntArray, mask: IntArray) -> FloatImages:
        model = self._model

        def compute(part: slice) -> torch.Tensor:
            features = model.module.owlv2.get_text_features(
                input_ids=model.tensor(ids[part]), attention_mask=model.tensor(mask[part])
            ).pooler_output
            return features / features.norm(dim=-1, keepdim=True)

        n_dims = int(model.module.config.projection_dim)
        return model.run(len(ids), compute, shape=(n_dims,))


def _load_tokenizer(folder: Path) -> Any:
    """Load the tokeniser of a checkpoint; WeightsError names the files that it may consist of."""
    if not (folder / "tokenizer.json").is_file():
        absent = [name for name in ("vocab.json", "merges.txt") if not (folder / name).is_file()]
        if absent:
            raise WeightsError(
                f"{folder}: no tokenizer.json and no {' and no '.join(absent)}, without which "
                "prompts cannot be read; get the checkpoint again with all its files"
            )
    return from_folder(packages()[1].AutoTokenizer, folder, trust_remote_code=False)


def _above(
    scores: FloatImages, boxes: FloatImages, threshold: float, *, size_px: tuple[int, int]
) -> list[Detection]:
    """Return the boxes of one image whose best score lies above the threshold, best first."""
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    corners = np.hstack([centre - half, centre + half]) * max(size_px)
    corners = corners.clip(0, np.tile(np.array(size_px, np.float32), 2))
    best = scores.max(axis=1)
    chosen = np.flatnonzero((best > threshold) & (corners[:, 2:] > corners[:, :2]).all(axis=1))
    chosen = chosen[np.argsort(-best[chosen], kind="stable")]
    prompt = scores.argmax(axis=1)
    return [(int(prompt[i]), float(best[i]), tuple(corners[i].tolist())) for i in chosen]
