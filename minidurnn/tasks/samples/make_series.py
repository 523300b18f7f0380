"""Make the two series: whole copies.

Use      MINIDURNN_DATA=folder python -m minidurnn.tasks.samples.make_series OUT
"""

import sys
from pathlib import Path

from minidurnn.tasks.series import FILES
from minidurnn.tasks.store import find


def main(out):
    """Write both samples into the folder `out`."""
    for file in FILES.values():
        Path(out, file.name).write_bytes(find(file.name).read_bytes())


if __name__ == "__main__":
    main(sys.argv[1])
