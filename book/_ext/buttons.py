"""The buttons of a chapter's page lead to its twin, which reads well where it is opened: in Colab, on GitHub, on disk.

The twin is what `tools/twins.py` writes into the folder `twins` of the pages, and what the publishing workflow puts on
the branch of that name. The download button offers both, so named that one knows which is which.
"""

TWINS = "twins"  # the folder, and the branch


def lead_to_twin(app, pagename, templatename, context, doctree):
    if not app.env.doc2path(pagename).endswith(".ipynb") or pagename not in app.env.found_docs:
        return
    name = pagename.rpartition("/")[2]
    for group in context.get("header_buttons", []):
        if group.get("label") == "download-buttons":
            _name_downloads(group["buttons"], f"{context['pathto'](TWINS, 1)}/{name}.ipynb")
        elif group.get("label") == "launch-buttons":
            _launch_twin(group["buttons"], name)


def _name_downloads(buttons, twin: str):
    """First the notebook to run, then the source that the page is made from."""
    for button in buttons:
        if button["label"] == "download-source-button":
            button |= {"text": "Source (.ipynb)", "tooltip": "The chapter as this page is made from it, in MyST"}
    run = {"type": "link", "url": twin, "text": "Notebook (.ipynb)", "icon": "fas fa-code"}
    buttons.insert(0, run | {"tooltip": "To read and run: Jupyter, VS Code, Colab", "label": "download-twin-button"})


def _launch_twin(buttons, name: str):
    """Colab's address with the twin in the place of the chapter, and the same on GitHub."""
    (colab,) = [button for button in buttons if button["text"] == "Colab"]
    repository = colab["url"].split("/github/", 1)[1].split("/blob/", 1)[0]
    place = f"{repository}/blob/{TWINS}/{name}.ipynb"
    colab["url"] = f"{colab['url'].split('/github/', 1)[0]}/github/{place}"
    read = {"type": "link", "text": "GitHub", "tooltip": "Read the notebook on GitHub", "icon": "fas fa-book-open"}
    buttons.append(read | {"url": f"https://github.com/{place}", "label": "read-on-github-button"})


def setup(app):
    app.connect("html-page-context", lead_to_twin, priority=950)  # after the theme has made its buttons
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
