#!/usr/bin/env python3
"""Links within the tree's own pages lead somewhere: to a file or folder that is there, and a heading of its."""

import re
import unittest
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md")])
LINK = re.compile(r"\]\(((?!\w+:)[^)\s]+)\)")


def links_of(page: Path) -> Iterator[str]:
    yield from LINK.findall(re.sub(r"^ {4}.*$|^```.*$", "", page.read_text(), flags=re.MULTILINE))


def anchors_of(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class Links(unittest.TestCase):
    def test_each_leads_somewhere(self) -> None:
        links = [(page, link) for page in PAGES for link in links_of(page)]
        self.assertGreater(len(links), 100)
        for page, link in links:
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            where = f"{page.relative_to(ROOT)}: {link}"
            self.assertTrue(target.exists(), where)
            if anchor:
                self.assertIn(anchor, anchors_of(target), where)

    def test_each_page_of_docs_is_named_in_the_readme(self) -> None:
        named = set(links_of(ROOT / "README.md"))
        self.assertEqual([page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in named], [])


if __name__ == "__main__":
    unittest.main()
