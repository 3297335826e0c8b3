"""Things that hang together through pairs."""

from __future__ import annotations

import numpy as np

from geopipe.schema import Indices


def component_labels(size: int, left: Indices, right: Indices) -> Indices:
    """Return for each of `size` rows the lowest row that it hangs together with through pairs."""
    label = np.arange(size)
    while True:
        left_label, right_label = label[left], label[right]
        if (left_label == right_label).all():
            return label
        lowest = np.minimum(left_label, right_label)
        # Hooking the labels' own rows, not only the pairs', is what makes long chains short.
        np.minimum.at(label, left_label, lowest)
        np.minimum.at(label, right_label, lowest)
        while (label != label[label]).any():
            label = label[label]
