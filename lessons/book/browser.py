"""Lessons in the browser with nothing installed: a JupyterLite site with NumPy in WebAssembly, built with no network.

    python lessons/book/browser.py build/browser

The kernel is xeus-python, whose wheel carries Python 3.10 and NumPy 1.25. The package is packed beside them, and a
stand-in for matplotlib (`kernel/`), of which there is no build for browsers. The records that lessons show come along.
"""

import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

LESSONS = Path(__file__).parents[1]
PARTS = ("0[0-8]-*.ipynb", "1[45]-*.ipynb")                   # those that need neither data nor a GPU
KERNEL = {"name": "xeus-python", "display_name": "Python (XPython)", "language": "python"}
NEEDED = {"jupyterlite-core": "0.2", "jupyterlite-xeus-python": "0.9.8"}
INSTALL = "pip install -e '.[browser]'"
UNUSED = ("pip", "setuptools", "wheel")                       # parts of the kernel that nothing imports
DIFFERENT = "Python 3.10 and NumPy 1.25, three to ten times slower, no sliders, no CuPy"
WATCHED, UNWATCHED = b"    monitor_interval = 10 ", b"    monitor_interval = 0 "      # of tqdm: no threads here
APPS = ("notebooks", "edit", "tree", "lab")                   # a lesson, a file that it links to, the folder, all
ICONS = ("notebook", "busy-1", "busy-2", "busy-3")            # of the page's tab, which JupyterLite asks for and lacks
SITE = "lib/python3.10/site-packages"                         # where the kernel looks for packages
TRY = """**Try it.** This is a copy of the lesson that runs with nothing installed: Python and NumPy work inside this \
page. Run the cells one after the other, from the first one on, with Shift+Enter.

What is different here:

- Python is 3.10 and NumPy 1.25, both older than those that the course is tested with most.
- Cells take three to ten times as long as on the same machine without a browser. The first cell also loads Python, \
which takes some twenty seconds.
- A small stand-in draws the figures. There are no sliders and no CuPy.
- Of trained networks, the last printed digits can differ from those in the book.
- What you change is kept in this browser only. To keep it elsewhere, download the notebook.

To work through the whole course, install it as its README says."""


def lacking():
    """Why the site cannot be built here, in a sentence; None where it can."""
    for name, version in NEEDED.items():
        try:
            found = distribution(name).version
        except PackageNotFoundError:
            return f"{name} is not installed: {INSTALL}"
        if not f"{found}.".startswith(f"{version}."):
            return f"{name} is {found}, and the site needs {version}: {INSTALL}"
    return None


def lessons():
    """The lessons that run in the browser, in their order."""
    return sorted(path for part in PARTS for path in LESSONS.glob(part))


def address(lesson):
    """The page of a lesson, from the site's folder."""
    return f"notebooks/index.html?path={lesson}.ipynb"


def build(to):
    """Build the site in a folder.    Raises RuntimeError where its tools are missing or fail, ValueError for a file."""
    if lacking():
        raise RuntimeError(lacking())
    if to.exists() and not (to / "jupyter-lite.json").exists() and (not to.is_dir() or any(to.iterdir())):
        raise ValueError(f"{to} is there and is no site of lessons: expected a new or an empty folder.")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        gather(made / "files")
        settings(made / "overrides.json")
        kernel = distribution("jupyterlite-xeus-python").locate_file("../../../share/jupyter/labextensions")
        shutil.rmtree(to, ignore_errors=True)
        command = [
            sys.executable, "-m", "jupyterlite_core", "build", "--ignore-sys-prefix", "--no-sourcemaps",
            "--no-unused-shared-packages", "--disable-addons", "jupyterlite-xeus-python",     # it asks for micromamba
            f"--LiteBuildConfig.federated_extensions={Path(kernel, '@jupyterlite', 'xeus-python-kernel').resolve()}",
            "--settings-overrides", str(made / "overrides.json"),
            *(word for app in APPS for word in ("--apps", app)),
            "--contents", str(made / "files"), "--lite-dir", str(made), "--output-dir", str(to.resolve()),
        ]
        built = subprocess.run(command, cwd=made, capture_output=True, text=True)
        if built.returncode:
            raise RuntimeError(f"JupyterLite cannot build the site: {built.stdout[-2000:]}{built.stderr[-2000:]}")
    pack(to)
    (to / "static" / "favicons").mkdir(parents=True)
    for name in ICONS:
        shutil.copyfile(to / "notebooks" / "favicon.ico", to / "static" / "favicons" / f"favicon-{name}.ico")


def gather(to):
    """What a learner finds in the folder: the lessons, the symbols, the records that the lessons show."""
    to.mkdir()
    shutil.copyfile(LESSONS / "notation.md", to / "notation.md")
    (to / "results").mkdir()
    code = ""
    for path in lessons():
        notebook = prepared(json.loads(path.read_text(encoding="utf-8")))
        code += "".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
        (to / path.name).write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for path in sorted((LESSONS / "results").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if f'"{record.get("trial", {}).get("experiment")}"' in code:
            shutil.copyfile(path, to / "results" / path.name)


def prepared(notebook):
    """A lesson as the site has it: with a first cell that says what is different, and not run yet."""
    first = {"cell_type": "markdown", "id": "try-it", "metadata": {}, "source": TRY}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    notebook["cells"].insert(0, first)
    notebook["metadata"]["kernelspec"] = KERNEL
    return notebook


def settings(path):
    """Settings of the page: no line is wrapped, nothing is asked from elsewhere."""
    path.write_text(json.dumps({
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
        "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    }), encoding="utf-8")


def pack(site):
    """Give the kernel the package, the stand-in for matplotlib and tqdm, and take from it what nothing imports.

    They could lie beside the lessons, but from there an import asks the page for every file: some 2,500 requests.
    """
    static = site / "extensions" / "@jupyterlite" / "xeus-python-kernel" / "static"
    table = static / "empack_env_meta.json"
    known = json.loads(table.read_text())
    for package in [one for one in known["packages"] if one["name"] in UNUSED]:
        known["packages"].remove(package)
        (static / package["filename"]).unlink()
    ours = {"minidurnn": LESSONS.parent / "minidurnn", "matplotlib": Path(__file__).parent / "kernel" / "matplotlib",
            "tqdm": Path(find_spec("tqdm").submodule_search_locations[0])}
    for name, folder in ours.items():
        stem = f"{name}-of-this-site"
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
        packed(static / f"{stem}.tar.gz", {
            f"{SITE}/{name}/{path.relative_to(folder).as_posix()}": path.read_bytes().replace(WATCHED, UNWATCHED)
            for path in files})
        known["packages"].append({"name": name, "version": "0", "build": "0", "filename_stem": stem,
                                  "filename": f"{stem}.tar.gz"})
    table.write_text(json.dumps(known, indent=1))


def packed(path, files):
    """Write files, {name: bytes}, as one archive."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    try:
        build(Path(sys.argv[1]))
    except (RuntimeError, ValueError, OSError) as error:
        sys.exit(f"browser: {error}")
    print(f"{len(lessons())} lessons are in {sys.argv[1]}. Serve it, and open the address that this prints:\n"
          f"python -m http.server --bind 127.0.0.1 --directory {sys.argv[1]} 8000")
