"""The changed sources of a module, made by cosmic-ray, without those that cannot make a difference."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of what cosmic-ray can put in place of an operator only what is nearest, and what is the opposite.
_NEAREST = {
    "ReplaceBinaryOperator": (
        "Add_Sub",
        "Sub_Add",
        "Mul_Div",
        "Div_Mul",
        "FloorDiv_Mul",
        "Mod_Mul",
        "Pow_Mul",
        "LShift_RShift",
        "RShift_LShift",
        "BitOr_BitAnd",
        "BitAnd_BitOr",
        "BitXor_BitAnd",
    ),
    "ReplaceComparisonOperator": (
        "Eq_NotEq",
        "NotEq_Eq",
        "Lt_LtE",
        "Lt_GtE",
        "LtE_Lt",
        "LtE_Gt",
        "Gt_GtE",
        "Gt_LtE",
        "GtE_Gt",
        "GtE_Lt",
        "Is_IsNot",
        "IsNot_Is",
    ),
    "ReplaceUnaryOperator": ("Delete_Not", "Delete_USub", "Delete_Invert"),
}
_ALONE = (
    "AddNot",
    "ExceptionReplacer",
    "NumberReplacer",
    "RemoveDecorator",
    "ReplaceAndWithOr",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ReplaceFalseWithTrue",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ZeroIterationForLoop",
)
OPERATORS = tuple(
    f"core/{name}"
    for name in (*_ALONE, *(f"{kind}_{each}" for kind, names in _NEAREST.items() for each in names))
)


@dataclass(frozen=True)
class Mutant:
    """A changed source, and the lines that differ from the original."""

    source: str
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"line {self.line}:\n    - {self.before}\n    + {self.after}"


def mutants(original: str) -> Iterator[Mutant]:
    """Yield each changed source once."""
    seen = {_meaning(original)}
    for name in OPERATORS:
        operator = get_operator(name)()
        count = sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(get_ast(original)))
        for occurrence in range(count):
            source = mutate_code(original, operator, occurrence)
            if source is None or (meaning := _meaning(source)) in seen:
                continue
            seen.add(meaning)
            yield _mutant(original, source)


def _mutant(original: str, source: str) -> Mutant:
    lines = list(difflib.ndiff(original.splitlines(), source.splitlines()))
    line = next(number for number, each in enumerate(lines, start=1) if each[0] in "-+")
    before, after = (
        " ".join(each[2:].strip() for each in lines if each.startswith(sign)) for sign in ("- ", "+ ")
    )
    return Mutant(source, line, before, after)


def _meaning(source: str) -> str:
    """Return what a source does, as text: without annotations, which are not evaluated, and what else has no effect."""
    try:
        return ast.dump(_Meaning().visit(ast.parse(source)))
    except SyntaxError:
        return "no Python"


class _Meaning(ast.NodeTransformer):
    """Leaves out what has no effect, and what is a choice.

    Annotations and imports for type checking are not evaluated. What dataclasses forbid, and whether an argument may be
    given by its place, concerns code that nobody wrote. A number that a constant of the module has is a choice, and not
    a promise: one more or less is as good.
    """

    def visit_Module(self, node: ast.Module) -> ast.AST:  # the name that ast looks for
        node.body = [each for each in node.body if not _is_number(each)]
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:  # the name that ast looks for
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        required = [None] * (len(node.posonlyargs) + len(node.args) - len(node.defaults))
        arguments = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        defaults = [*required, *node.defaults, *node.kw_defaults]
        merged = ast.arguments([], [], node.vararg, arguments, defaults, node.kwarg, [])
        return self.generic_visit(merged)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        test = node.test.operand if isinstance(node.test, ast.UnaryOp) else node.test
        if isinstance(test, ast.Name) and test.id == "TYPE_CHECKING":
            return None
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        if node.arg in {"frozen", "slots", "kw_only", "strict"} and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
        return self.generic_visit(node)


def _is_number(statement: ast.stmt) -> bool:
    """Tell whether a statement gives a number to a name in capitals."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return False
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    value = statement.value.operand if isinstance(statement.value, ast.UnaryOp) else statement.value
    is_number = isinstance(value, ast.Constant) and type(value.value) in {int, float}
    return is_number and all(isinstance(each, ast.Name) and each.id.isupper() for each in targets)
