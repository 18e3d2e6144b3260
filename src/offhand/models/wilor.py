"""WiLoR (Potamias et al. 2024, arXiv:2409.12259) where the user has installed it: hand boxes.

A thin adapter to the package ``wilor_mini`` (github.com/warmshao/WiLoR-mini). It follows that
package's public interface and was not tested with the real weights. Three things to know:

- WiLoR's weights, and the MANO hand model it rests on, are for non-commercial use; so this is
  never a default, and offhand neither ships nor fetches them.
- The package loads its weights with Python's pickle, which can execute code. Whoever installs it
  trusts them; offhand's own weights never need that.
- The package downloads weights that it does not find. This adapter refuses to start instead.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from offhand.errors import WeightsError, WeightsMissing
from offhand.models.images import check_image
from offhand.records import ByteArray

PACKAGE = "wilor_mini"
MODULE = "wilor_mini.pipelines.wilor_hand_pose3d_estimation_pipeline"
PIPELINE = "WiLorHandPose3dEstimationPipeline"

FILES = ("mano_mean_params.npz", "MANO_RIGHT.pkl", "wilor_final.ckpt", "detector.pt")
"""What the package keeps in its folder ``pretrained_models``."""


@dataclass(frozen=True, kw_only=True)
class WilorHand:
    """A hand as WiLoR's detector sees it.

    Attributes
    ----------
    handedness
        The anatomical hand.
    box
        x0, y0, x1, y1 in pixels; the package tells no score.
    """

    handedness: Literal["left", "right"]
    box: tuple[float, float, float, float]


class Wilor:
    """WiLoR's pipeline on a GPU where there is one, else on the CPU.

    Raises
    ------
    WeightsMissing
        The package, or a file of its weights, is not on this machine.
    WeightsError
        The package has another interface than the one known here.
    """

    def __init__(self) -> None:
        folder = _weights_folder()
        absent = [name for name in FILES if not (folder / name).is_file()]
        if absent:
            raise WeightsMissing(
                f"{folder}: no {', '.join(absent)}; let {PACKAGE} fetch its weights once by itself "
                "(they are for non-commercial use only), or choose another anchor detector"
            )
        import torch

        module = importlib.import_module(MODULE)
        if not hasattr(module, PIPELINE):
            raise WeightsError(f"{MODULE} has no {PIPELINE}: not the version known to offhand")
        on_gpu = torch.cuda.is_available()
        self._pipeline: Any = getattr(module, PIPELINE)(
            device=torch.device("cuda" if on_gpu else "cpu"),
            dtype=torch.float16 if on_gpu else torch.float32,
            verbose=False,
        )

    def __call__(self, image: ByteArray) -> tuple[WilorHand, ...]:
        """Return the hands in an RGB image ``(height, width, 3)``, in the package's order.

        Raises
        ------
        WeightsError
            The package answers in another form than the one known here.
        """
        check_image(image)
        found = self._pipeline.predict(image)
        try:
            return tuple(_hand(one) for one in found)
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(f"{PACKAGE} answered in an unknown form ({error!r})") from error


def _weights_folder() -> Path:
    """Return where the package keeps its weights; WeightsMissing if it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise WeightsMissing(
            f"the package {PACKAGE} (WiLoR, non-commercial) is not installed; "
            "install it by yourself, or choose another anchor detector"
        )
    return Path(next(iter(found.submodule_search_locations))) / "pretrained_models"


def _hand(found: dict[str, Any]) -> WilorHand:
    """Read one hand of the pipeline's answer."""
    x0, y0, x1, y1 = (float(edge) for edge in found["hand_bbox"])
    return WilorHand(
        handedness="right" if float(found["is_right"]) >= 0.5 else "left", box=(x0, y0, x1, y1)
    )
