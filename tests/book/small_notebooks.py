"""Small notebooks for the tests: `good()` keeps every rule, the others are `good()` with one thing changed."""

from nbformat import from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

IMPORTS = """from vaelib.checks import check, exercise
from vaelib.distributions import normal_kl, standard_normal_kl
from vaelib.train import set_seed

set_seed(0)
x = 0.5
print("x is", x)"""
CHECK = """check("eq-one", normal_kl(x, 0, 0, 0), x**2 / 2, "closed form against arithmetic", rtol=1e-9,
      wrong={"half missing": x**2})"""
EXERCISE = 'exercise("Exercise 1.1", ..., lambda answer: answer == 2)'
ALT = {"mystnb": {"image": {"alt": "A straight line that rises from left to right."}}}
IGNORED = {"tags": ["nbval-ignore-output"], "vaelib": {"ignore_reason": "the seconds differ from run to run"}}


def printed(text):
    return new_output("stream", name="stdout", text=text + "\n")


def picture():
    return new_output("display_data", {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure size 640x480 with 1 Axes>"})


def widget():
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "0"}}
    return new_output("display_data", view | {"text/plain": "live figure"})


def code(source, *outputs, **metadata):
    return new_code_cell(source, execution_count=1, outputs=list(outputs), metadata=metadata)


def good():
    """A notebook that keeps every rule. The tests below change it by the position of its cells."""
    cells = [
        new_markdown_cell("# A chapter\n\nIt starts from 0.5, as {cite:p}`someone` did with 7.25."),
        code(IMPORTS, printed("x is 0.5")),
        new_markdown_cell("## A finding\n\n$$\nk = x^2 / 2\n$$ (eq-one)\n\nThe next cell runs it."),
        code(CHECK, printed("eq-one holds: closed form against arithmetic, within 1e-09 relative")),
        new_markdown_cell("### Exercise 1.1\n\nTry it."),
        code(EXERCISE, printed("Exercise 1.1: not attempted yet")),
        new_markdown_cell("## Pictures and seconds"),
        code("plt.plot([0, 1])\nplt.show()\nprint(2)", picture(), printed("2"), **ALT),
        code("print(seconds)", printed("0.125"), **IGNORED),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def with_source(position, source):
    """The good notebook with another source in one cell."""
    notebook = good()
    notebook.cells[position].source = source
    return notebook


def with_text(text):
    return with_source(6, text)


def with_outputs(position, *outputs):
    notebook = good()
    notebook.cells[position].outputs = list(outputs)
    return notebook


def with_metadata(position, **metadata):
    notebook = good()
    notebook.cells[position].metadata.update(metadata)
    return notebook


def with_cells(*cells):
    notebook = good()
    notebook.cells.extend(cells)
    return notebook


def with_check(source, *definitions):
    """The good notebook with other code around its check, and with functions defined in a later cell."""
    notebook = with_source(3, source.replace('"what")', '"what", wrong={"twice": 2 * x})'))
    notebook.cells.extend(code(definition) for definition in definitions)
    return notebook


def unrun():
    notebook = good()
    notebook.cells[1].execution_count = None
    return notebook


def with_kernel(metadata):
    notebook = good()
    notebook.metadata = from_dict(metadata)
    return notebook
