"""Make pixels.npz from the four files of MNIST: every tenth image, 2 × 2 pixels averaged to one.

Use      MINIDURNN_DATA=folder python -m minidurnn.tasks.samples.make_pixels OUT
"""

import sys

import numpy as np

from minidurnn.tasks.pixels import load


def main(out):
    """Write the sample to the path `out`."""
    arrays = {}
    for part, (images, labels) in load("full", 14).items():
        arrays[f"{part}_images"], arrays[f"{part}_labels"] = images[::10], labels[::10]
    np.savez_compressed(out, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
