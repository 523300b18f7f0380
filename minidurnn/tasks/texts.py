"""Tiny Shakespeare and its parts, for tasks that read it character by character and word by word."""

from .store import find, shipped


def shakespeare(source):
    """The text: the first 100,000 characters ("sample"), which are shipped, or all ("full")  ->  a string."""
    path = shipped("characters.txt") if source == "sample" else find("tinyshakespeare.txt")
    return path.read_text(encoding="ascii")


def parts(row):
    """A row of characters or words, cut: 90 % for training, the next 5 % for validation, the rest for the test."""
    first, second = len(row) * 90 // 100, len(row) * 95 // 100
    return {"train": row[:first], "validation": row[first:second], "test": row[second:]}
