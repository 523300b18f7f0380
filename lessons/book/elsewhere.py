"""A lesson elsewhere: a line below its title with a download, and with Binder and Colab where the address is known."""

import json
import shutil
from html import escape
from pathlib import Path
from urllib.parse import quote, urlsplit

NOTEBOOKS, COLAB = "notebooks", "colab"                       # folders of the book: as they are, and for Colab
ON_COLAB = """import os, sys

if "google.colab" in sys.modules and not os.path.exists("notation.md"):
    %pip install --quiet "minidurnn @ git+{repository}@{branch}"
    !minidurnn lessons course
    %cd course"""
NEEDS = "index.html#work-through-them"


def setup(app):
    app.add_config_value("repository", "", "html", str)
    app.add_config_value("branch", "main", "html", str)
    app.add_config_value("published", "gh-pages", "html", str)
    app.connect("doctree-resolved", add_line)
    app.connect("build-finished", add_notebooks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def links(name, repository, branch, published):
    """What a lesson can be opened with elsewhere  ->  {word: address}; of Binder and Colab none without a repository.

    repository   the web address of the public repository, such as https://github.com/OWNER/NAME
    branch       its branch with the lessons, which Binder runs
    published    its branch with this book at the top, from which Colab reads, and Colab reads from GitHub only
    """
    found, address = {"Download": f"{NOTEBOOKS}/{name}.ipynb"}, urlsplit(repository)
    owner = address.path.strip("/").removesuffix(".git")
    if repository:
        source = {"github.com": f"gh/{owner}", "gitlab.com": f"gl/{quote(owner, '')}"}
        place = f"{source.get(address.netloc, f'git/{quote(repository, str())}')}/{quote(branch, '')}"
        lesson = quote(f"lab/tree/lessons/{name}.ipynb", "")
        found["Binder"] = f"https://mybinder.org/v2/{place}?urlpath={lesson}"
    if address.netloc == "github.com":
        place = f"{owner}/blob/{quote(published)}/{COLAB}/{name}.ipynb"
        found["Colab"] = f"https://colab.research.google.com/github/{place}"
    return found


def for_colab(notebook, repository, branch):
    """A notebook with a first cell that, on Colab only, installs the package and goes where the records are."""
    source = ON_COLAB.format(repository=repository.rstrip("/"), branch=branch)
    first = {"cell_type": "code", "execution_count": None, "id": "on-colab", "metadata": {}, "outputs": []}
    return {**notebook, "cells": [{**first, "source": source}, *notebook["cells"]]}


def lessons(app):
    """The notebooks of the book, by name."""
    paths = {name: Path(app.env.doc2path(name)) for name in app.env.found_docs}
    return {name: path for name, path in paths.items() if path.suffix == ".ipynb"}


def add_line(app, doctree, name):
    """The line below the title of a lesson."""
    from docutils import nodes

    if name not in lessons(app) or app.builder.format != "html":
        return
    config = app.config
    found = links(name, config.repository, config.branch, config.published)
    said = " · ".join(
        f'<a href="{escape(address)}"{" download" if word == "Download" else ""}>{word}</a>'
        for word, address in found.items())
    line = f'<p class="elsewhere">Run this lesson: {said} (<a href="{NEEDS}">what a download needs</a>)</p>'
    title = next(doctree.findall(nodes.title))
    title.parent.insert(title.parent.index(title) + 1, nodes.raw("", line, format="html"))


def add_notebooks(app, failure):
    """The notebooks beside the pages: as they are, and for Colab where there is a link to it."""
    if failure is not None or app.builder.format != "html":
        return
    config, out = app.config, Path(app.outdir)
    for name, path in lessons(app).items():
        (out / NOTEBOOKS).mkdir(exist_ok=True)
        shutil.copyfile(path, out / NOTEBOOKS / path.name)
        if "Colab" in links(name, config.repository, config.branch, config.published):
            (out / COLAB).mkdir(exist_ok=True)
            made = for_colab(json.loads(path.read_text(encoding="utf-8")), config.repository, config.branch)
            text = json.dumps(made, ensure_ascii=False, indent=1)
            (out / COLAB / path.name).write_text(f"{text}\n", encoding="utf-8")
