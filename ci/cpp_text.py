"""The text of C++ as the checkers beside this file read it: without comments and strings, and cut into functions."""

import re
from collections.abc import Iterator

# A comment, a raw string, a string or a character; a quote inside a number (1'000) is none of them.
_NO_CODE = re.compile(
    r"""
      //(?:[^\n\\]|\\.)*
    | /\*.*?\*/
    | (?:\b|u8|[uUL])R"(?P<mark>[^(\s"]*)\(.*?\)(?P=mark)"
    | "(?:[^"\\\n]|\\.)*"
    | (?<![0-9A-Fa-f])'(?:[^'\\\n]|\\.)+'
    """,
    re.DOTALL | re.VERBOSE,
)


def code_of(cpp: str) -> str:
    """The text of a C++ file with comments and the insides of literals gone, every line still in its place."""

    def blank(match: re.Match[str]) -> str:
        newlines = "\n" * match.group().count("\n")
        return newlines if match.group().startswith("/") else '"' + newlines + '"'

    return _NO_CODE.sub(blank, cpp)


_PREPROCESSOR_LINE = re.compile(r"^[ ]*#(?:[^\n\\]|\\.)*", re.MULTILINE | re.DOTALL)
_LINKAGE = re.compile(r'^extern\s+""\s*')
_SCOPE = re.compile(r"(?:(?:inline|typedef|static|const|constexpr)\s+)*(?:class|struct|union|enum|namespace)\b")


def functions_of(code: str) -> Iterator[tuple[int, int]]:
    """The first and last line of each function in clang-formatted C++ that code_of has been over.

    Braces decide. One that opens outside of any function is a function's body if a parenthesis closed since the last
    declaration ended, and if the text is neither a type's or a namespace's head nor an initialiser; the formatter puts
    no space before the brace of `member_{1}`, and one before a body. A lambda belongs to the function around it.
    """
    code = _PREPROCESSOR_LINE.sub(lambda match: "\n" * match.group().count("\n"), code)
    open_blocks: list[str] = []  # of each open brace: "scope", "initialiser", "function", "inner" within the latter two
    head_begin = first_line = 0
    for match in re.finditer(r"[{};]|\b(?:public|protected|private):", code):
        head = code[head_begin : match.start()]
        if match.group() == "{":
            open_blocks.append("inner" if set(open_blocks) - {"scope"} else _kind_of_block(head))
            if open_blocks[-1] == "function":
                first_line = 1 + code.count("\n", 0, match.start() - len(head.lstrip()))
            if open_blocks[-1] != "scope":
                continue
        elif match.group() == "}" and open_blocks:
            closed = open_blocks.pop()
            if closed == "function":
                yield first_line, 1 + code.count("\n", 0, match.start())
            if closed in ("inner", "initialiser"):
                continue
        elif set(open_blocks) - {"scope"}:
            continue
        head_begin = match.end()


def _kind_of_block(head: str) -> str:
    """What a brace opens that stands outside of any function and has `head` before it."""
    bare = head.strip()
    while bare.startswith("template"):
        bare = _without_template_head(bare)
    bare = _LINKAGE.sub("", bare)
    if not bare or _SCOPE.match(bare):
        return "scope"
    if ")" in bare and head[-1:].isspace() and not bare.endswith("="):
        return "function"
    return "initialiser"


def _without_template_head(text: str) -> str:
    """`template <class T> void f()` without its `template <class T>`."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "<") - (character == ">")
        if character == ">" and depth == 0:
            return text[at + 1 :].lstrip()
    return ""
