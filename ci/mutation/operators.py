"""Where a source can be mutated, and how: by libclang's syntax tree, so that a mutant is an expression or a statement.

What is not mutated, and why: the arguments of LOCKD_CHECK (a weakened assertion is no behaviour), memory orders (no
x86 machine shows them), lock guards and other declarations (races are for ThreadSanitizer and the simulator), functions
named check_... (the checker of invariants is itself a test), and what is a constant at compile time: a constexpr
variable is mutated wherever it is used instead.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, also where another Python comes first on the PATH
from clang.cindex import Cursor, CursorKind, Index, TranslationUnit, TypeKind  # noqa: E402

ARGUMENTS = ["-x", "c++", "-std=c++20", '-DLOCKD_VERSION="0"']

RELATIONAL = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",)}
ARITHMETIC = {"+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("*",)}
BITWISE = {"&": ("|",), "|": ("&",), "^": ("&",), "<<": (">>",), ">>": ("<<",)}
LOGICAL = {"&&": ("||",), "||": ("&&",)}
COMPOUND = {"+=": ("-=",), "-=": ("+=",), "&=": ("|=",), "|=": ("&=",), "^=": ("|=",)}
BINARY = {**{key: ("relational", to) for key, to in RELATIONAL.items()},
          **{key: ("arithmetic", to) for key, to in ARITHMETIC.items()},
          **{key: ("bitwise", to) for key, to in BITWISE.items()},
          **{key: ("logical", to) for key, to in LOGICAL.items()},
          **{key: ("assignment", to) for key, to in COMPOUND.items()}}
SWAPPED = {"++": "--", "--": "++"}

FUNCTIONS = {CursorKind.FUNCTION_DECL, CursorKind.CXX_METHOD, CursorKind.CONSTRUCTOR, CursorKind.DESTRUCTOR,
             CursorKind.CONVERSION_FUNCTION, CursorKind.FUNCTION_TEMPLATE}
LEFT_OUT = {CursorKind.STATIC_ASSERT, CursorKind.ENUM_DECL, CursorKind.TYPE_REF, CursorKind.TEMPLATE_REF,
            CursorKind.NAMESPACE_REF, CursorKind.FRIEND_DECL, CursorKind.TYPE_ALIAS_DECL,
            CursorKind.TEMPLATE_TYPE_PARAMETER, CursorKind.TEMPLATE_NON_TYPE_PARAMETER, CursorKind.ALIGNED_ATTR,
            CursorKind.CXX_BASE_SPECIFIER, CursorKind.MEMBER_REF}
STATEMENTS = {CursorKind.CALL_EXPR, CursorKind.BINARY_OPERATOR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR,
              CursorKind.UNARY_OPERATOR, CursorKind.UNEXPOSED_EXPR, CursorKind.CXX_DELETE_EXPR,
              CursorKind.BREAK_STMT, CursorKind.CONTINUE_STMT, CursorKind.CONDITIONAL_OPERATOR}
BODIES = {CursorKind.COMPOUND_STMT, CursorKind.IF_STMT, CursorKind.WHILE_STMT, CursorKind.FOR_STMT,
          CursorKind.CXX_FOR_RANGE_STMT, CursorKind.CASE_STMT, CursorKind.DEFAULT_STMT}
OF_DEFAULT = ("no_index", "std::nullopt", "{}")  # returned: the same as `{}`, or a mutant of it is
NO_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|\s+", re.DOTALL)


@dataclass
class Mutant:
    """One change: the text from `start` to `end` becomes `text`, which is as many lines long."""

    file: str
    operator: str
    start: int
    end: int
    text: str
    form: str  # "value", "truth" (only its truth counts) or "statement"
    constant: bool  # in a constexpr function
    line: int = 0
    key: str = ""  # what it is called in the table of survivors: does not depend on line numbers
    number: int = 0  # at run time


class Finder:
    """Of one file."""

    def __init__(self, root: Path, file: str) -> None:
        self.file = file
        self.bytes = (root / file).read_bytes()
        self.unit = Index.create().parse(str(root / file), [*ARGUMENTS, f"-I{root}"])
        errors = [str(problem) for problem in self.unit.diagnostics if problem.severity >= 3]
        if errors:
            raise SystemExit(f"ci/mutate: clang cannot read {file}: {errors[0]}")
        self.found: list[Mutant] = []
        self.asserted = [(match.start(), self.end_of_call(match.end() - 1))
                         for match in re.finditer(rb"\bLOCKD_CHECK\(", self.bytes)]
        self.constant = False
        self.lambdas = 0
        self.result = ""  # the kind of what the function around returns: "bool", "void", "reference" or "value"

    def end_of_call(self, at: int) -> int:
        depth = 0
        for match in re.finditer(rb'"(?:[^"\\]|\\.)*"|[()]', self.bytes[at:]):
            depth += (match[0] == b"(") - (match[0] == b")")
            if depth == 0:
                return at + match.end()
        return len(self.bytes)

    def slice(self, start: int, end: int) -> str:
        return self.bytes[start:end].decode()

    def text(self, cursor: Cursor) -> str:
        return self.slice(*span(cursor))

    def is_asserted(self, cursor: Cursor) -> bool:
        return any(start <= cursor.extent.start.offset < end for start, end in self.asserted)

    def add(self, operator: str, where: tuple[int, int], text: str, form: str = "value") -> None:
        start, end = where
        missing = self.bytes[start:end].count(b"\n") - text.count("\n")
        self.found.append(Mutant(self.file, operator, start, end, text + "\n" * missing, form, self.constant))

    # ---- walking

    def mutants(self) -> list[Mutant]:
        self.walk_scope(self.unit.cursor)
        unique = {(m.start, m.end, m.text, m.form): m for m in self.found}
        mutants = sorted(unique.values(), key=lambda m: (m.start, -m.end, m.text))
        self.name(mutants)
        return mutants

    def walk_scope(self, scope: Cursor) -> None:
        for cursor in scope.get_children():
            if not cursor.location.file or cursor.location.file.name != self.unit.spelling:
                continue
            if cursor.kind in FUNCTIONS:
                self.walk_function(cursor)
            elif cursor.kind in (CursorKind.VAR_DECL, CursorKind.FIELD_DECL):
                self.walk_variable(cursor)
            elif cursor.kind not in LEFT_OUT:
                self.walk_scope(cursor)

    def walk_function(self, function: Cursor) -> None:
        if function.spelling.startswith("check_") or function.is_default_method():
            return
        self.constant = "constexpr" in self.slice(function.extent.start.offset, function.location.offset).split()
        self.result = kind_of_result(function)
        for child in function.get_children():
            if child.extent.start.offset <= function.location.offset or child.kind in LEFT_OUT:
                continue
            if child.kind == CursorKind.PARM_DECL:
                self.walk_variable(child)
            else:
                self.walk(child, function)
        self.constant = False

    def walk_variable(self, variable: Cursor) -> None:
        words = self.slice(variable.extent.start.offset, variable.location.offset).split()
        if "constexpr" in words:
            return
        children = [child for child in variable.get_children()
                    if child.kind not in LEFT_OUT and child.extent.start.offset > variable.location.offset]
        for child in children[1:] if variable.is_bitfield() else children:
            self.walk(child, variable)

    def walk(self, cursor: Cursor, parent: Cursor) -> None:
        if cursor.kind in LEFT_OUT or self.is_asserted(cursor) or cursor.kind == CursorKind.PARM_DECL:
            return
        if cursor.kind == CursorKind.VAR_DECL:
            self.walk_variable(cursor)
            return
        if parent.kind in BODIES and cursor.kind in STATEMENTS and self.is_whole_statement(cursor) \
                and not is_all_of_an_if(parent):
            self.deletion(cursor)
        rule = RULES.get(cursor.kind)
        if rule:
            rule(self, cursor, parent)
        if cursor.kind == CursorKind.DECL_REF_EXPR:  # all within are its template arguments
            return
        within_lambda = cursor.kind == CursorKind.LAMBDA_EXPR
        self.lambdas += within_lambda
        for child in self.walked_children(cursor):
            self.walk(child, cursor)
        self.lambdas -= within_lambda

    def walked_children(self, cursor: Cursor) -> list[Cursor]:
        children = list(cursor.get_children())
        if cursor.kind == CursorKind.CASE_STMT:
            return children[1:]
        if cursor.kind == CursorKind.MEMBER_REF_EXPR:
            return children[:1]
        return children

    def is_whole_statement(self, cursor: Cursor) -> bool:
        return self.bytes[cursor.extent.end.offset:].lstrip()[:1] == b";" and \
            self.bytes[:cursor.extent.start.offset].rstrip()[-1:] in (b";", b"{", b"}", b")", b":", b"e") and \
            not re.search(rb"(return|[^)]case)\s*$", self.bytes[:cursor.extent.start.offset]) and \
            not self.in_for_head(cursor)

    def in_for_head(self, cursor: Cursor) -> bool:
        before = self.bytes[:cursor.extent.start.offset]
        head = before.rfind(b"for (")
        return head >= 0 and self.end_of_call(head + 4) > cursor.extent.start.offset

    # ---- operators

    def with_semicolon(self, cursor: Cursor) -> tuple[int, int]:
        return cursor.extent.start.offset, self.bytes.index(b";", cursor.extent.end.offset) + 1

    def deletion(self, cursor: Cursor) -> None:
        self.add("statement deleted", self.with_semicolon(cursor), ";", "statement")

    def binary(self, cursor: Cursor, _: Cursor) -> None:
        operands = operands_of(cursor)
        if not operands or operands[0].extent.start.offset != cursor.extent.start.offset:
            return
        left, right = operands
        gap = (left.extent.end.offset, right.extent.start.offset)
        token = NO_CODE.sub("", self.slice(*gap))
        if token not in BINARY or gap[0] >= gap[1]:
            return
        operator, others = BINARY[token]
        form = "truth" if operator == "logical" else "value"
        for other in others:
            text = f"{self.text(left)} {other} {self.text(right)}"
            self.add(operator, span(cursor), text if operator == "assignment" else f"({text})", form)
        if operator == "logical":
            self.add("operand dropped", span(cursor), self.text(left), form)
            self.add("operand dropped", span(cursor), self.text(right), form)

    def unary(self, cursor: Cursor, parent: Cursor) -> None:
        (operand,) = cursor.get_children()
        inner = self.text(operand)
        prefix = self.slice(cursor.extent.start.offset, operand.extent.start.offset).strip()
        postfix = self.slice(operand.extent.end.offset, cursor.extent.end.offset).strip()
        if prefix == "!":
            self.add("negation removed", span(cursor), inner, "truth")
        elif prefix in ("~", "-"):
            self.add("arithmetic", span(cursor), inner)
        elif prefix in SWAPPED:
            self.add("increment", span(cursor), SWAPPED[prefix] + inner)
            if parent.kind not in BODIES:
                self.add("increment", span(cursor), inner + prefix)
        elif postfix in SWAPPED:
            self.add("increment", span(cursor), inner + SWAPPED[postfix])
            self.add("increment", span(cursor), postfix + inner)

    def condition(self, cursor: Cursor, *constants: str) -> None:
        if cursor.kind.is_expression() and not self.is_asserted(cursor):
            for constant in constants:
                self.add("condition", span(cursor), constant, "truth")

    def if_statement(self, cursor: Cursor, _: Cursor) -> None:
        self.condition(next(cursor.get_children()), "true", "false")

    def while_statement(self, cursor: Cursor, _: Cursor) -> None:
        condition = next(cursor.get_children())
        if self.text(condition) != "true":
            self.condition(condition, "false")

    def for_statement(self, cursor: Cursor, _: Cursor) -> None:
        head = self.bytes.index(b"(", cursor.extent.start.offset)
        inside = self.slice(head, self.end_of_call(head))
        first = head + inside.index(";")
        second = self.bytes.index(b";", first + 1)
        for child in cursor.get_children():
            if first < child.extent.start.offset < second:
                self.condition(child, "false")

    def choice(self, cursor: Cursor, _: Cursor) -> None:
        condition = next(cursor.get_children())
        if not operands_of(condition):
            self.add("condition", span(condition), f"!({self.text(condition)})", "truth")

    def integer(self, cursor: Cursor, _: Cursor) -> None:
        text = self.text(cursor)
        if text[:1].isdigit():
            self.add("constant", span(cursor), f"({text} + 1)")
            if text != "0":
                self.add("constant", span(cursor), f"({text} - 1)")

    def truth(self, cursor: Cursor, parent: Cursor) -> None:
        other = {"true": "false", "false": "true"}[self.text(cursor)]
        if parent.kind != CursorKind.WHILE_STMT:
            self.add("constant", span(cursor), other)

    def character(self, cursor: Cursor, _: Cursor) -> None:
        self.add("constant", span(cursor), f"static_cast<char>({self.text(cursor)} + 1)")

    def string(self, cursor: Cursor, _: Cursor) -> None:
        text = self.text(cursor)
        if match := re.fullmatch(r'"(\\x[0-9a-fA-F]+|\\.|[^"\\])(.*)"', text, re.DOTALL):
            self.add("string", span(cursor), f'"{"#" if match[1] != "#" else "*"}{match[2]}"')

    def name_of_value(self, cursor: Cursor, _: Cursor) -> None:
        meant = cursor.referenced
        if meant is None:
            return
        text = self.text(cursor)
        if meant.kind == CursorKind.ENUM_CONSTANT_DECL:
            names = [child.spelling for child in meant.semantic_parent.get_children()]
            after = names[(names.index(meant.spelling) + 1) % len(names)]
            if len(names) > 1 and "memory_order" not in text:
                self.add("enumerator", span(cursor), re.sub(r"\w+$", after, text))
        elif is_constant(meant):
            self.add("constant", span(cursor), f"({text} + 1)")
            if meant.spelling != "no_index":
                self.add("constant", span(cursor), f"({text} - 1)")

    def call(self, cursor: Cursor, parent: Cursor) -> None:
        self.binary(cursor, parent)
        if cursor.kind != CursorKind.CALL_EXPR:
            return
        match = re.match(r"std::(?:ranges::)?(min|max)\b", self.text(cursor))
        if match:
            start = cursor.extent.start.offset
            other = {"min": "max", "max": "min"}[match[1]]
            rest = self.slice(start + match.end(1), cursor.extent.end.offset)
            self.add("minimum", span(cursor), self.slice(start, start + match.start(1)) + other + rest)

    def return_statement(self, cursor: Cursor, _: Cursor) -> None:
        values = list(cursor.get_children())
        where = self.with_semicolon(cursor)
        if not values:
            self.add("statement deleted", where, ";", "statement")
        elif self.lambdas == 0 and self.result == "void":
            self.add("statement deleted", where, "return;", "statement")
        elif self.lambdas == 0 and self.result == "value" and self.text(values[0]) not in OF_DEFAULT \
                and not self.text(values[0]).isdigit():
            self.add("result", where, "return {};", "statement")
        elif self.lambdas == 0 and self.result == "bool" and not operands_of(values[0]) \
                and self.text(values[0]) not in ("true", "false"):
            self.add("result", span(values[0]), f"!({self.text(values[0])})", "truth")

    # ---- names

    def name(self, mutants: list[Mutant]) -> None:
        """Which line it stands in, and what that line becomes; the same thing twice is told apart by counting."""
        times: Counter[str] = Counter()
        for mutant in mutants:
            mutant.line = 1 + self.bytes.count(b"\n", 0, mutant.start)
            begin = self.bytes.rfind(b"\n", 0, mutant.start) + 1
            end = self.bytes.find(b"\n", mutant.end)
            after = self.slice(begin, mutant.start) + mutant.text + self.slice(mutant.end, end)
            name = f"{shortened(self.slice(begin, end))} => {shortened(after)}"
            times[name] += 1
            mutant.key = f"{self.file}: {name}" + (f" [{times[name]}]" if times[name] > 1 else "")


def span(cursor: Cursor) -> tuple[int, int]:
    return cursor.extent.start.offset, cursor.extent.end.offset


def shortened(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def kind_of_result(function: Cursor) -> str:
    if function.kind in (CursorKind.CONSTRUCTOR, CursorKind.DESTRUCTOR):
        return "void"
    result = function.result_type.get_canonical()
    if result.kind == TypeKind.VOID:
        return "void"
    if result.kind == TypeKind.BOOL:
        return "bool"
    return "reference" if result.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE) else "value"


def is_all_of_an_if(parent: Cursor) -> bool:
    """Then to delete what it does is to have its condition false."""
    return parent.kind == CursorKind.IF_STMT and len(list(parent.get_children())) == 2


def is_constant(meant: Cursor) -> bool:
    """Whether it is a number that is known at compile time."""
    if meant.kind == CursorKind.TEMPLATE_NON_TYPE_PARAMETER:
        return True
    if meant.kind != CursorKind.VAR_DECL:
        return False
    integral = TypeKind.BOOL.value <= meant.type.get_canonical().kind.value <= TypeKind.INT128.value
    before = meant.translation_unit.get_tokens(extent=meant.extent)
    return integral and any(token.spelling == "constexpr" for token, _ in zip(before, range(6), strict=False))


def operands_of(cursor: Cursor) -> tuple[Cursor, Cursor] | None:
    """The two sides of an operator, built in or not."""
    children = [child for child in cursor.get_children() if not child.spelling.startswith("operator")
                or child.kind not in (CursorKind.DECL_REF_EXPR, CursorKind.UNEXPOSED_EXPR)
                or child.extent.end.offset - child.extent.start.offset > 2]
    if cursor.kind == CursorKind.UNEXPOSED_EXPR and len(children) == 1:
        return operands_of(children[0])
    operators = {CursorKind.BINARY_OPERATOR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR, CursorKind.CALL_EXPR,
                 CursorKind.UNEXPOSED_EXPR}
    if cursor.kind not in operators or len(children) != 2:
        return None
    left, right = children
    gap = right.extent.start.offset - left.extent.end.offset
    begins = left.extent.start.offset == cursor.extent.start.offset
    return (left, right) if 1 <= gap <= 200 and begins and right.extent.end.offset == cursor.extent.end.offset else None


RULES = {
    CursorKind.BINARY_OPERATOR: Finder.binary,
    CursorKind.COMPOUND_ASSIGNMENT_OPERATOR: Finder.binary,
    CursorKind.UNEXPOSED_EXPR: Finder.call,
    CursorKind.CALL_EXPR: Finder.call,
    CursorKind.UNARY_OPERATOR: Finder.unary,
    CursorKind.IF_STMT: Finder.if_statement,
    CursorKind.WHILE_STMT: Finder.while_statement,
    CursorKind.FOR_STMT: Finder.for_statement,
    CursorKind.CONDITIONAL_OPERATOR: Finder.choice,
    CursorKind.INTEGER_LITERAL: Finder.integer,
    CursorKind.CXX_BOOL_LITERAL_EXPR: Finder.truth,
    CursorKind.CHARACTER_LITERAL: Finder.character,
    CursorKind.STRING_LITERAL: Finder.string,
    CursorKind.DECL_REF_EXPR: Finder.name_of_value,
    CursorKind.RETURN_STMT: Finder.return_statement,
}


def mutants_of(root: Path, files: list[str]) -> Iterator[Mutant]:
    for file in files:
        yield from Finder(root, file).mutants()
