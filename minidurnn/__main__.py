"""The command line: minidurnn replicate, list, ledger, bench."""

import os
import sys
from contextlib import contextmanager, suppress

CONTINUE = "; what was finished is kept, the same command with --resume continues"


def main(arguments=None):
    """Run one command  ->  exit code.

    Whatever goes wrong is one sentence on stderr, and output that nobody can read costs no work.
    """
    _open_streams()
    with _lasting("stdout") as out, _lasting("stderr") as err:
        try:
            from .command_line import run  # not before: Ctrl-C is to be caught while this loads

            code = run(arguments)
        except KeyboardInterrupt:
            trained = (sys.argv[1:] if arguments is None else arguments)[:1] == ["replicate"]
            print(f"\nminidurnn: stopped{CONTINUE if trained else ''}", file=err)
            code = 130
        except Exception as error:
            code, said = _explained(error)
            print(f"minidurnn: {said}", file=err)
        out.flush()
        if isinstance(out.lost, BrokenPipeError):             # as a program that SIGPIPE ends
            return 141
        if out.lost is not None:
            reason = out.lost.strerror
            print(f"minidurnn: the output cannot be written ({reason}); no record is touched by that.", file=err)
            return code or 3
        return code


def _explained(error):
    """An error as exit code and sentence: 2 for wrong input and files, 3 for what nobody expected."""
    said = " ".join(str(error).split())
    if type(error) is ConnectionError:                        # a scheduler that went away, says experiments.cluster
        return 3, said
    if isinstance(error, (ValueError, OSError, ImportError)) or type(error) is RuntimeError:
        return 2, said
    if isinstance(error, MemoryError):
        return 3, f"out of memory ({said or 'no more could be had'}): what was finished is kept."
    place = error.__traceback__
    while place.tb_next is not None:
        place = place.tb_next
    where = f"{os.path.basename(place.tb_frame.f_code.co_filename)}, line {place.tb_lineno}"
    return 3, f"{type(error).__name__} in {where} ({said}): this is a bug, please report it; what was finished is kept."


class _Lasting:
    """A text stream that goes on when it can be written no more. `lost` is why not, or None.

    A character that the stream's encoding lacks is written as its escape.
    """

    def __init__(self, stream):
        self.stream, self.lost = stream, None

    def write(self, text):
        """Write, or drop what cannot be written."""
        known = getattr(self.stream, "encoding", None) or "utf-8"
        self._try(self.stream.write, text.encode(known, "backslashreplace").decode(known))
        return len(text)

    def flush(self):
        """Flush, or drop what cannot be written."""
        self._try(self.stream.flush)

    def _try(self, action, *given):
        if self.lost is None:
            try:
                action(*given)
            except OSError as error:
                self.lost = error
                with suppress(OSError):                       # what is left in the buffer goes nowhere
                    os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())

    def __getattr__(self, name):
        return getattr(self.stream, name)


def _open_streams():
    """Let a standard stream that was closed before the start lead nowhere, else the next file would get its number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:                                       # the lowest free number is this one
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


@contextmanager
def _lasting(name):
    """sys.stdout or sys.stderr as a stream that lasts, also where the program was started with it closed."""
    given = getattr(sys, name)
    lasting = _Lasting(given or os.fdopen({"stdout": 1, "stderr": 2}[name], "w", closefd=False))
    setattr(sys, name, lasting)
    try:
        yield lasting
    finally:
        lasting.flush()
        setattr(sys, name, given)


if __name__ == "__main__":
    sys.exit(main())
