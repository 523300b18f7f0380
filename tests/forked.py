"""Programs for processes of their own, forked off one that has imported minidurnn: an interpreter starts once for all.

A program runs as `python -c` would run it: its streams are files, made anew, closed where asked; it ends with the code
and the words of an interpreter. What starting an interpreter does itself is for tests that start one.
"""

import io
import multiprocessing
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

COMMAND = "import runpy; runpy.run_module('minidurnn', run_name='__main__', alter_sys=True)"
CLOSED, FULL, UNREAD = "closed", "/dev/full", "unread"        # what a stream may be in place of a file


def process(function, *arguments):
    """A new process at work on a function: forked off one that has imported minidurnn and done nothing since."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["minidurnn.command_line", "minidurnn.exercises.lesson_23", "minidurnn.training"])
    new = context.Process(target=function, args=arguments)
    new.start()
    return new


class Python:
    """`python -c program words...`, its streams in files, or closed, full, or without a reader."""

    def __init__(self, program, *words, input="", stdout=None, stderr=None, environment=()):
        self.folder = tempfile.TemporaryDirectory()
        inside = Path(self.folder.name)
        (inside / "stdin").write_text(input)
        self.files = [inside / "stdout", inside / "stderr"]
        streams = [str(inside / "stdin"), str(stdout or self.files[0]), str(stderr or self.files[1])]
        self.process = process(_run, program, [str(word) for word in words], streams, dict(environment))

    def poll(self):
        """The code that it ended with, None while it runs."""
        return self.process.exitcode

    def end(self, timeout=300):
        """Wait for it  ->  CompletedProcess.    Raises TimeoutExpired, and it is killed."""
        self.process.join(timeout)
        late = self.process.exitcode is None
        if late:
            self.process.kill()
            self.process.join()
        said = [file.read_text(encoding="utf-8", errors="replace") if file.exists() else "" for file in self.files]
        self.folder.cleanup()
        if late:
            raise TimeoutExpired("python", timeout)
        return CompletedProcess("python", self.process.exitcode, *said)


def run(command, *, input="", capture_output=True, text=True, timeout=300):
    """subprocess.run of a `python -c program`, forked."""
    assert command[:2] == [sys.executable, "-c"] and capture_output and text
    return Python(*command[2:], input=input).end(timeout)


def _run(program, words, streams, environment):
    """What an interpreter does with a program, in the child."""
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        _redirect(number, stream)
    sys.stdin, sys.stdout, sys.stderr = map(_stream, range(3), streams)
    sys.argv = ["-c", *words]
    try:
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        code = 1
        if sys.stderr is not None:
            traceback.print_exc()
    os._exit(_flushed(code))


def _redirect(number, stream):
    if stream == CLOSED:
        os.close(number)
        return
    if stream == UNREAD:
        reader, opened = os.pipe()
        os.close(reader)
    else:
        opened = os.open(stream, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT, 0o600)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)


def _stream(number, stream):
    """What sys has for a file descriptor: None where it is closed."""
    if stream == CLOSED:
        return None
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "utf-8").partition(":")
    errors = "backslashreplace" if number == 2 else errors or "strict"
    raw = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
    if number == 0:
        return io.TextIOWrapper(io.BufferedReader(raw), encoding, errors)
    if os.environ.get("PYTHONUNBUFFERED"):
        return io.TextIOWrapper(raw, encoding, errors, write_through=True)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=number == 2)


def _flushed(code):
    """The code of an interpreter that could write what was left in its streams, or not."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except Exception as error:
        if sys.stderr is not None:
            print(f"Exception ignored in: {sys.stdout!r}\n{type(error).__name__}: {error}", file=sys.stderr)
        code = 120
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except Exception:
        code = 120
    return code
