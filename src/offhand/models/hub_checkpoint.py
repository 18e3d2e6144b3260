"""Loading checkpoints of the library ``transformers`` from a local folder.

A checkpoint is a folder as the library writes it: ``config.json``, a processor's configuration and
safetensors. Nothing here reaches for the network, runs code from the folder, or reads a pickle, and
a checkpoint whose tensors do not fill the model exactly is refused: what is missing would be random
numbers otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from offhand.errors import WeightsError, WeightsMissing
from offhand.models.hub import (
    PACKAGES_HINT,
    HubModel,
    choose_device,
    first_line,
    packages,
)

_PICKLES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")


def load_model(
    folder: Path,
    *,
    architecture: str,
    model_type: str,
    device: str,
    batch: int,
    threads: int,
) -> HubModel:
    """Load a model in evaluation mode from a local folder.

    Parameters
    ----------
    folder
        The checkpoint.
    architecture
        Name of the class in transformers, which the checkpoint must name as its own.
    model_type
        What the checkpoint's configuration must call itself.
    device
        One of :data:`offhand.models.hub.DEVICES`.
    batch, threads
        See :class:`~offhand.models.hub.HubModel`.

    Raises
    ------
    WeightsMissing
        The folder, torch, transformers or the device is missing.
    WeightsError
        The checkpoint is of another architecture, damaged, incomplete, or only there as a pickle.
    """
    _check_architecture(folder, architecture=architecture, model_type=model_type)
    _check_safetensors(folder)
    torch, transformers = packages()
    chosen = choose_device(device)
    kind = getattr(transformers, architecture)
    precision = torch.float32 if chosen == "cpu" else torch.float16
    module, info = from_folder(
        kind, folder, use_safetensors=True, output_loading_info=True, dtype=precision
    )
    _check_tensors(folder, info)
    return HubModel(module.eval(), device=chosen, batch=batch, threads=threads, source=str(folder))


def load_image_processor(folder: Path, *, kind: str) -> Any:
    """Load the image processor of a checkpoint, in its variant without torchvision.

    Parameters
    ----------
    folder
        The checkpoint.
    kind
        Name of the processor in transformers, which the checkpoint must name as its own.

    Raises
    ------
    WeightsMissing
        transformers is too old to have that variant.
    WeightsError
        The folder holds no such processor, or it cannot be read.
    """
    path = processor_file(folder, "preprocessor_config.json", "processor_config.json")
    content = read_json(path)
    named = str(content.get("image_processor", content).get("image_processor_type", ""))
    if not named.startswith(kind):  # Fast or Pil may follow
        raise WeightsError(f"{path}: is for {named or 'an unnamed processor'}, expected {kind}")
    transformers = packages()[1]
    without_torchvision = getattr(transformers, f"{kind}Pil", None)
    if without_torchvision is None:
        raise WeightsMissing(
            f"transformers {transformers.__version__} cannot prepare images without torchvision; "
            f"{PACKAGES_HINT}"
        )
    return from_folder(without_torchvision, folder)


def processor_file(folder: Path, *names: str) -> Path:
    """Return the first of some files that a folder holds; WeightsError if it holds none."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise WeightsError(
        f"{folder}: no {' and no '.join(names)}, which says how the model wants its pictures; "
        "get the checkpoint again with all its files"
    )


def from_folder(kind: Any, folder: Path, **options: Any) -> Any:
    """Call ``kind.from_pretrained`` for a local folder: no network, no code from the folder.

    Raises
    ------
    WeightsError
        The folder's content cannot be read as what it should be.
    """
    with _offline_and_quiet():
        try:
            return kind.from_pretrained(str(folder), local_files_only=True, **options)
        except MemoryError:
            raise
        except Exception as error:  # each format has errors of its own
            raise WeightsError(
                f"{folder}: cannot be loaded as {kind.__name__} "
                f"({type(error).__name__}: {first_line(str(error))}); get the checkpoint again"
            ) from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; WeightsError if it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: holds {type(content).__name__}, expected an object")
    return content


def _check_architecture(folder: Path, *, architecture: str, model_type: str) -> None:
    if not folder.is_dir():
        raise WeightsMissing(f"{folder}: no such folder; expected a checkpoint of {architecture}")
    path = folder / "config.json"
    if not path.is_file():
        raise WeightsError(f"{folder}: no config.json; expected a checkpoint of {architecture}")
    config = read_json(path)
    found = config.get("architectures") or []
    if config.get("model_type") != model_type or architecture not in found:
        named = ", ".join(map(str, found)) or "an unnamed architecture"
        raise WeightsError(
            f"{folder}: holds {named} (model_type {config.get('model_type')!r}), "
            f"expected {architecture} (model_type {model_type!r})"
        )


def _check_safetensors(folder: Path) -> None:
    if any(folder.glob("model*.safetensors")):
        return
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLES)
    if pickles:
        raise WeightsError(
            f"{folder}: its weights are only there as a pickle ({', '.join(pickles)}), which can "
            "run code when it is read; save the model with safetensors"
        )
    raise WeightsError(f"{folder}: no model.safetensors; get the checkpoint again")


def _check_tensors(folder: Path, info: dict[str, Any]) -> None:
    """Raise WeightsError unless every tensor of the model came from the file, and none is left."""
    for words, key in (
        ("lacks tensors that the model needs", "missing_keys"),
        ("has tensors that the model does not know", "unexpected_keys"),
        ("has tensors of another shape", "mismatched_keys"),
        ("could not be read without errors", "error_msgs"),
    ):
        names = sorted(map(str, info.get(key) or ()))
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise WeightsError(
                f"{folder}: the checkpoint {words}: {', '.join(names[:3])}{more}; "
                "get it again, or one of the right architecture"
            )


@contextmanager
def _offline_and_quiet() -> Iterator[None]:
    """Keep the hub's client off the network, and transformers quiet, while something is loaded.

    The client reads its environment variables only once, when it is imported; so its settings are
    changed instead, and restored: whoever calls may want the hub later.
    """
    from huggingface_hub import constants
    from transformers.utils import logging as talk

    settings = {"HF_HUB_OFFLINE": True, "HF_HUB_DISABLE_TELEMETRY": True}
    before = {name: getattr(constants, name) for name in settings}
    verbosity, bars = talk.get_verbosity(), talk.is_progress_bar_enabled()
    talk.set_verbosity_error()
    talk.disable_progress_bar()
    try:
        vars(constants).update(settings)
        yield
    finally:
        vars(constants).update(before)
        talk.set_verbosity(verbosity)
        if bars:
            talk.enable_progress_bar()
