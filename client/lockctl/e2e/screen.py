"""A terminal for tests: what a program draws, as the lines of a screen.

It knows what lockctl top may use, and takes anything else for an error.
"""

from __future__ import annotations

import re

SEQUENCE = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])")


class Screen:
    """Of characters that are one column wide."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.is_second = False  # the screen of full-screen programs
        self.is_cursor_shown = True
        self._inverse = False
        self._clear()

    def _clear(self) -> None:
        self._cells = [[" "] * self.columns for _ in range(self.rows)]
        self._titles = [False] * self.rows
        self._row = self._column = 0

    def feed(self, text: str) -> None:
        """Whole sequences only."""
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                matched = SEQUENCE.match(text, at)
                assert matched is not None, f"not understood: {text[at:at + 10]!r}"
                self._obey(*matched.groups())
                at = matched.end()
            else:
                self._put(text[at])
                at += 1

    def _obey(self, number: str, letter: str) -> None:
        match number + letter:
            case "?1049h" | "?1049l":
                self._clear()
                self.is_second = letter == "h"
            case "?25h" | "?25l":
                self.is_cursor_shown = letter == "h"
            case "H":
                self._row = self._column = 0
            case "2K":
                self._cells[self._row] = [" "] * self.columns
                self._titles[self._row] = False
            case "J":
                self._cells[self._row][self._column:] = [" "] * (self.columns - self._column)
                for row in range(self._row + 1, self.rows):
                    self._cells[row] = [" "] * self.columns
            case "7m" | "m":
                self._inverse = number == "7"
            case other:
                raise AssertionError(f"not understood: {other!r}")

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            assert self._row + 1 < self.rows, "the screen would scroll"
            self._row += 1
        else:
            assert character.isprintable(), f"a control character: {character!r}"
            assert self._column < self.columns, "the line would wrap"
            self._cells[self._row][self._column] = character
            self._titles[self._row] |= self._inverse
            self._column += 1

    def lines(self) -> list[str]:
        """Without blanks at their ends and empty lines at the screen's; one in inverse video between > and <."""
        lines = ["".join(row).rstrip() for row in self._cells]
        shown = [f">{line}<" if title else line for line, title in zip(lines, self._titles, strict=True)]
        while shown and not shown[-1]:
            shown.pop()
        return shown
