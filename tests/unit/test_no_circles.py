"""No two modules import each other, whatever the way round, not even for the type checker alone."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "src"


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(file): file for file in sorted(ROOT.rglob("*.py"))}


def imported(file: Path) -> set[str]:
    """Our modules that a file imports at its top, in a block for the type checker, too."""
    found = set()
    body = ast.parse(file.read_text("utf-8")).body
    blocks = [node for block in body if isinstance(block, ast.If) for node in block.body]
    for node in [*body, *blocks]:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in FILES else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & FILES.keys()


def test_no_module_imports_itself_by_way_of_others():
    graph = {module: imported(file) - {module} for module, file in FILES.items()}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]
    else:
        circle = []

    assert len(graph) > 300
    assert circle == []
