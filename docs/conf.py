"""How Sphinx builds the site; `make docs` (scripts/docs.py) calls it on a copy of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.roles import XRefRole

import horizon

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "Horizon"
author = "Horizon contributors"
copyright = author
version = release = horizon.__version__

extensions = [
    "myst_nb",  # Markdown, and notebooks as they were run
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "sphinx_design",
]
root_doc = "index"
templates_path: list[str] = []
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/icon.svg"

# ---------------------------------------------------------------- pages
myst_enable_extensions = ["colon_fence", "deflist", "html_image", "tasklist"]
myst_heading_anchors = 3
# Run before by scripts/docs.py, which also makes pages of their figures.
nb_execution_mode = "off"
nb_merge_streams = True
suppress_warnings = [
    # A widget has no text of its own for a page; scripts/docs.py puts words in its place.
    "mystnb.unknown_mime_type",
    # A parameter and a property of one name are no ambiguity for a reader.
    "ref.python",
]

# ---------------------------------------------------------------- docstrings
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
numpydoc_show_class_members = False  # listed by scripts/docs.py: ours, not ipywidgets'
numpydoc_xref_param_type = False
#: What stands in single backticks is a name: linked where it is a public one, else as it is.
default_role = "name"
nitpicky = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# ---------------------------------------------------------------- looks
html_theme = "pydata_sphinx_theme"
html_title = f"Horizon {release}"
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": "Horizon"},
    "github_url": "https://github.com/horizon-workbench/horizon",
    # More would wrap into a second line of the top bar at 1,300 pixels.
    "header_links_before_dropdown": 5,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
}
#: Pages with none below them: a list of those would be empty.
html_sidebars: dict[str, list[str]] = {
    page: []
    for page in ("index", "start", "tour", "coming-from", "command-line", "front-ends", "words")
}


def name_role(
    role: str, raw: str, text: str, line: int, inliner: Any, *_: Any, **__: Any
) -> tuple[list[Any], list[Any]]:
    """Link ``hz.backtest``, and `Paper`, which nothing else is called; parameters stay code."""
    name = text.removesuffix("()")
    full = CLASSES.get(name)
    for start in ("hz.", "horizon."):
        if name.startswith(start):
            full = f"horizon.{name.removeprefix(start)}"
    if full is None:
        return [nodes.literal(raw, text)], []
    return XRefRole()("py:obj", raw, f"{text} <{full}>", line, inliner)


def classes() -> dict[str, str]:
    """Names of classes that nothing else is called, and the way to them."""
    found: dict[str, list[str]] = {}
    for namespace in ("", "venues", "algos", "feeds", "strategies", "backtesting", "walkforward",
                      "running", "analytics", "figures", "widgets"):  # fmt: skip
        module = getattr(horizon, namespace) if namespace else horizon
        for name in module.__all__:
            if isinstance(getattr(module, name), type) and name[0].isupper():
                path = ".".join(filter(None, ("horizon", namespace, name)))
                found.setdefault(name, []).append(path)
    return {name: min(paths, key=len) for name, paths in found.items()}


CLASSES = classes()


def with_plotly(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Load plotly.js, five megabytes, on the pages alone that have a figure."""
    if page.startswith("notebooks/"):
        app.add_js_file("plotly.min.js", priority=100)
        app.add_js_file("site.js")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_role("name", name_role)
    app.connect("html-page-context", with_plotly)
