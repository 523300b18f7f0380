"""Make characters.txt from tiny Shakespeare: its first 100,000 characters.

Use      python -m minidurnn.tasks.samples.make_characters OUT
"""

import sys
from pathlib import Path

from minidurnn.tasks.characters import TEXTS
from minidurnn.tasks.store import find


def main(out):
    """Write the sample to the path `out`."""
    Path(out).write_bytes(find("tinyshakespeare.txt").read_bytes()[:TEXTS["sample"]])


if __name__ == "__main__":
    main(sys.argv[1])
