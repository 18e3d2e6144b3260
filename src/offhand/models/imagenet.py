"""Which of ImageNet's classes (ILSVRC-2012, 1000 classes) show what a prompt asks for.

The indices are those of the challenge's classes in order of their WordNet ids, as every published
classifier uses them. A prompt has a class only if the class shows that very thing: there is none
for a mallet, a trowel, a hand saw, a brick or a ladder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

CLASS_OF_PROMPT: Mapping[str, int] = MappingProxyType(
    {
        "bucket": 463,
        "chain saw": 491,
        "crash helmet": 518,
        "hammer": 587,
        "hard hat": 518,  # crash helmet, the nearest kind of hard helmet
        "hatchet": 596,
        "mortar bucket": 463,  # bucket, pail
        "power drill": 740,
        "screwdriver": 784,
        "shovel": 792,
        "wheelbarrow": 428,  # barrow, garden cart, lawn cart, wheelbarrow
    }
)
"""Index of the class of each prompt that has one."""


def unsupported(prompts: Sequence[str]) -> tuple[str, ...]:
    """Return the prompts that no class stands for, in their order."""
    return tuple(prompt for prompt in prompts if prompt.lower() not in CLASS_OF_PROMPT)


def prompt_scores(
    probability: npt.NDArray[np.float32], prompts: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Return the probability of each prompt's class.

    Parameters
    ----------
    probability
        ``(n, 1000)`` of the classes.
    prompts
        What is looked for; capital letters do not matter.

    Returns
    -------
    ndarray of float32
        ``(n, prompts)`` in 0..1; NaN for a prompt that no class stands for.
    """
    scores = np.full((len(probability), len(prompts)), np.nan, np.float32)
    for column, prompt in enumerate(prompts):
        index = CLASS_OF_PROMPT.get(prompt.lower())
        if index is not None:
            scores[:, column] = probability[:, index]
    return scores
