"""
The mutants of a module: each is its source with one small thing changed.

What is changed: comparisons, `and`/`or`, `not`, arithmetic, integers, floats, truth values, short texts (ids, names and
codes, but no text for humans), conditions (negated), `return` (nothing instead), calls and assignments to attributes
(left out), `min`/`max`, `any`/`all`, `break`/`continue`. Not: docstrings, annotations, imports, names of variables.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
# What a type checker reads, or a name for pickles and debuggers: no behaviour.
SKIPPED_TARGETS = ("__all__", "__slots__")


@dataclass(frozen=True, slots=True)
class Mutant:
    """
    One mutant.

    Attributes:
        key: names it, by its function and by what is changed, not by its line: it survives edits elsewhere.
        where: dotted name of the outermost function or method, or `None` for what runs at the import.
        source: the module as it was.
        path: the way to the changed node: attribute names and positions from the module down.
        changed: what stands there instead.
    """

    key: str
    where: str | None
    source: str
    path: list[tuple[str, int | None]]
    changed: ast.AST

    @property
    def tree(self) -> ast.Module:
        """The whole module, changed."""
        whole = ast.parse(self.source)
        _put(whole, self.path, self.changed)
        return ast.fix_missing_locations(whole)


@dataclass(slots=True)
class _Site:
    """A node and the way to it."""

    path: list[tuple[str, int | None]]
    where: str | None
    node: ast.AST


def mutants(source: str, only: tuple[str, ...] = ()) -> Iterator[Mutant]:
    """Every mutant of that source; with `only` those in functions of these names."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for site in _sites(tree):
        if only and site.where not in only:
            continue
        for changed in _changes(site.node):
            before, after = _text(site.node), _text(changed)
            key = f"{site.where or 'module'}: {before} -> {after}"
            seen[key] += 1
            yield Mutant(key if seen[key] == 1 else f"{key} #{seen[key]}", site.where, source, site.path, changed)


def _text(node: ast.AST) -> str:
    """A line of source for a node; of a statement with a body the head."""
    if isinstance(node, (ast.If, ast.While)):
        return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def _put(tree: ast.Module, path: list[tuple[str, int | None]], node: ast.AST) -> None:
    owner: ast.AST = tree
    for name, number in path[:-1]:
        value = getattr(owner, name)
        owner = value if number is None else value[number]
    name, number = path[-1]
    if number is None:
        setattr(owner, name, node)
    else:
        getattr(owner, name)[number] = node


def _sites(tree: ast.Module) -> Iterator[_Site]:
    yield from _below(tree, [], None, ())


def _below(
    node: ast.AST, path: list[tuple[str, int | None]], where: str | None, names: tuple[str, ...]
) -> Iterator[_Site]:
    for field, value in ast.iter_fields(node):
        children = (
            [(None, value)]
            if isinstance(value, ast.AST)
            else list(enumerate(value or ()))
            if isinstance(value, list)
            else []
        )
        for number, child in children:
            if not isinstance(child, ast.AST) or _skipped(node, field, child):
                continue
            inner, inner_names = where, names
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and where is None and field == "body":
                inner = ".".join(names)
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and where is None:
                inner_names = (*names, child.name)
            here = [*path, (field, number)]
            yield _Site(here, inner, child)
            yield from _below(child, here, inner, inner_names)


def _skipped(node: ast.AST, field: str, child: ast.AST) -> bool:
    """Docstrings, annotations, decorators and how a class is made, imports, f-strings (for humans), what types read."""
    if field in ("annotation", "returns", "decorator_list", "bases") or isinstance(
        child, (ast.Import, ast.ImportFrom, ast.JoinedStr)
    ):
        return True
    if isinstance(node, ast.ClassDef) and field == "keywords":
        return True
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True
    if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
        return True
    if isinstance(child, ast.Call) and ast.unparse(child.func) == "TypeVar":
        return True
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "cast":
        return child is node.args[0]
    return isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) in SKIPPED_TARGETS


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in a node's place."""
    if isinstance(node, ast.Compare):
        for number, operator in enumerate(node.ops):
            changed = copy.deepcopy(node)
            changed.ops[number] = COMPARED[type(operator)]()
            yield changed
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in CALCULATED:
        if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, bytes):
            return
        changed_sum = copy.deepcopy(node)
        changed_sum.op = CALCULATED[type(node.op)]()
        yield changed_sum
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in SWAPPED:
            yield ast.Call(
                ast.Name(SWAPPED[node.func.id], ast.Load()),
                node.args,
                [] if node.func.id == "sorted" else node.keywords,
            )
    else:
        yield from _statements(node)


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and value and value.replace(" ", "").isdigit() and " " in value:
        # A list of codes: the last one is not in it.
        yield ast.Constant(value.rpartition(" ")[0])
    elif isinstance(value, str) and " " not in value:
        yield ast.Constant(f"X{value}")


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, (ast.If, ast.While)):
        negated = copy.copy(node)
        negated.test = ast.UnaryOp(ast.Not(), node.test)
        yield negated
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.Return):
        if node.value is not None and ast.unparse(node.value) != "None":
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield ast.comprehension(node.target, node.iter, [], node.is_async)
    elif (
        (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
        or isinstance(node, ast.AugAssign)
        or (isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name))
    ):
        yield ast.Pass()
