"""Telling a person how far it is. What cannot be told may not cost the training."""

import sys
from contextlib import suppress

UNTOLD = OSError, ValueError, AttributeError                  # full or gone; closed, or of another alphabet; None


class Screen:
    """Standard error as a file for a progress bar: writing to it never raises."""

    def write(self, text):
        """Write where that is possible."""
        with suppress(*UNTOLD):
            sys.stderr.write(text)

    def flush(self):
        """Flush where that is possible."""
        with suppress(*UNTOLD):
            sys.stderr.flush()

    def __getattr__(self, name):                              # isatty, encoding, fileno
        return getattr(sys.stderr, name)

    @property
    def pause(self):
        """Seconds between two drawings of a bar: a tenth where somebody may look on, sixty in a file or a pipe."""
        with suppress(*UNTOLD):
            if not sys.stderr.isatty() and "ipykernel" not in sys.modules:
                return 60
        return 0.1


def tell(bar, text):
    """Print a line of text beside a progress bar, where that is possible."""
    with suppress(*UNTOLD):
        bar.write(text)
