"""Make skeletons.npz from UI-PRMD: two of ten repetitions, every fourth frame, whole centimetres.

The repetitions are 1 and 2 of every person and movement, correct and incorrect. Positions stay int16 millimetres,
rounded to multiples of 10.
Use      MINIDURNN_DATA=folder python -m minidurnn.tasks.samples.make_skeletons OUT
"""

import sys

import numpy as np

from minidurnn.tasks.store import find, read_npz


def main(out):
    """Write the sample to the path `out`."""
    data = read_npz(find("ui_prmd_kinect.npz"))
    kept = data["episode"] <= 2
    places = zip(data["start"][kept], data["length"][kept])
    sequences = [data["frames"][start:start + length:4] for start, length in places]
    length = np.array([len(sequence) for sequence in sequences], np.int32)
    np.savez_compressed(out, **{
        **data, **{name: data[name][kept] for name in ("movement", "subject", "episode", "correct")},
        "frames": (10 * np.rint(np.concatenate(sequences) / 10)).astype(np.int16),
        "length": length, "start": np.cumsum(length, dtype=np.int32) - length,
    })


if __name__ == "__main__":
    main(sys.argv[1])
