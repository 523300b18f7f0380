"""The web book: this folder as pages. `sphinx-build -W lessons build/book`, and no page asks another host for a thing.

Lessons are not run here. The book shows the outputs that are stored in the notebooks, which the tests compare.
"""

import hashlib
import sys
from importlib.metadata import distribution
from pathlib import Path

LESSONS = Path(__file__).parent
sys.path[:0] = [str(LESSONS.parent), str(LESSONS / "book")]

import minidurnn  # noqa: E402                                the package of this checkout, for the page of the library

project, author, version = "minidurnn", "the authors of minidurnn", minidurnn.__version__
copyright = "the authors of minidurnn. Code: MIT. Lessons: CC BY 4.0"
html_title, html_show_sphinx, html_copy_source = "minidurnn", False, False
# Without a public address the lessons have no Binder and Colab buttons: set it here, as https://github.com/OWNER/NAME.
repository, branch, published = "", "main", "gh-pages"        # published: the branch with the built book
language, html_use_index, html_domain_indices = "en", False, False

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx_copybutton", "pages", "elsewhere"]
exclude_patterns = ["**/.ipynb_checkpoints"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}                                         # sliders need a kernel: the page shows the figure
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "pages.jupyter_anchor"

# Maths is drawn by MathJax 3.2.2, one file of its release, which a Python package ships.
MATHJAX = Path(distribution("sphinx-mathjax-offline").locate_file("sphinx-mathjax-offline/static/mathjax/tex-svg.js"))
MATHJAX_RELEASE = "d4295dc33744836935c1399feece5159577b34c5c8ffb9f1c6324cd82e03a882"
if hashlib.sha256(MATHJAX.read_bytes()).hexdigest() != MATHJAX_RELEASE:
    raise ValueError(f"{MATHJAX.name} is not the file of MathJax 3.2.2: install sphinx-mathjax-offline again.")
mathjax_path = MATHJAX.name
mathjax3_config = {"options": {"enableMenu": False}}          # its menu would load further files

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_inherit_docstrings = False                            # of a plain value it would be its type's
add_module_names = False
toc_object_entries_show_parents = "hide"

html_static_path = ["book/static", str(MATHJAX)]
html_css_files, html_js_files = ["book.css"], [("book.js", {"defer": "defer"})]
html_favicon = "book/static/icon.svg"
html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "logo": {"text": "minidurnn"},
    "navbar_center": ["navbar-nav"],
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "navigation_with_keys": False,
    "show_toc_level": 2,
}
html_sidebars = {page: [] for page in ("index", "results/README", "records", "notation", "library", "search")}
