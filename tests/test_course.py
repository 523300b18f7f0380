"""The lessons of this version are found and copied, and nothing is overwritten."""

from pathlib import Path

import pytest

import minidurnn
from minidurnn import course
from minidurnn.__main__ import main

LESSONS = Path(minidurnn.__file__).parents[1] / "lessons"


def names(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("there", [False, True], ids=["a new folder", "an empty one"])
def test_the_lessons_are_copied_with_their_records_and_open_there(there, tmp_path, capsys):
    folder = tmp_path / "deep" / "course"
    if there:
        folder.mkdir(parents=True)
    assert main(["lessons", str(folder)]) == 0
    wanted = [*LESSONS.glob("*.ipynb"), LESSONS / "notation.md", *(LESSONS / "results").iterdir()]
    assert names(folder) == sorted(path.relative_to(LESSONS) for path in wanted)
    one = Path("results") / "README.md"
    assert (folder / one).read_bytes() == (LESSONS / one).read_bytes()
    said = capsys.readouterr().out
    assert f"{len(list(LESSONS.glob('*.ipynb')))} lessons of minidurnn {minidurnn.__version__} are in {folder}." in said
    assert f"jupyter lab {folder}" in said


@pytest.mark.parametrize("name, words", [("full", "is not empty: expected a new or an empty one"),
                                         ("full/mine", "is a file: expected a folder")])
def test_what_is_there_already_is_left_as_it_is(name, words, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("my answers")
    assert main(["lessons", str(tmp_path / name)]) == 2
    assert words in capsys.readouterr().err
    assert names(tmp_path) == [Path("full/mine")] and (tmp_path / "full" / "mine").read_text() == "my answers"


class Installed:
    """A distribution whose files lie below a folder."""

    def __init__(self, root):
        self.root, self.name = root, "notation.md"
        self.files = [self]

    def locate(self):
        return self.root / "share" / "lessons" / self.name


def test_where_there_is_no_checkout_the_installed_lessons_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "__file__", str(tmp_path / "site" / "minidurnn" / "course.py"))
    monkeypatch.setattr(course, "distribution", lambda name: Installed(tmp_path))
    with pytest.raises(FileNotFoundError, match="the lessons are not here: expected them beside the package"):
        course.folder()
    place = tmp_path / "share" / "lessons"
    place.mkdir(parents=True)
    (place / "notation.md").write_text("letters")
    assert course.folder() == place.resolve()


@pytest.mark.system
def test_the_ledger_is_that_of_the_courses_own_records_unless_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["ledger"]) == 0
    ours = capsys.readouterr().out
    assert main(["ledger", "--records", str(LESSONS / "results")]) == 0
    assert capsys.readouterr().out == ours
