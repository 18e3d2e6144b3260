from __future__ import annotations

import numpy as np

from offhand.models.imagenet import prompt_scores, unsupported


def test_a_prompt_takes_the_probability_of_its_class() -> None:
    probability = np.arange(2000, dtype=np.float32).reshape(2, 1000)
    found = prompt_scores(probability, ("shovel", "brick", "Hard Hat", "wheelbarrow"))
    np.testing.assert_array_equal(found[:, [0, 2, 3]], [[792, 518, 428], [1792, 1518, 1428]])
    assert np.isnan(found[:, 1]).all()
    assert found.dtype == np.float32


def test_what_has_no_class_is_listed_in_its_order() -> None:
    assert unsupported(("ladder", "Shovel", "brick", "hammer")) == ("ladder", "brick")
    assert prompt_scores(np.zeros((0, 1000), np.float32), ("ladder",)).shape == (0, 1)
