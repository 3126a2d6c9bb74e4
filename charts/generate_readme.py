"""Writes the table of a chart's values from the comments `# -- ...` in its values.yaml."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

MARK = "<!-- values -->"


def documented(text: str) -> list[tuple[str, str]]:
    """Path and description of each key that has one, in order."""
    found, path, words = [], list[tuple[int, str]](), list[str]()
    for line in text.splitlines():
        if comment := re.match(r"\s*# (-- )?(.*)", line):
            words = [comment[2]] if comment[1] else [*words, comment[2]] if words else []
        elif key := re.match(r"( *)([A-Za-z0-9]+):", line):
            indent = len(key[1])
            path = [*(part for part in path if part[0] < indent), (indent, key[2])]
            if words:
                found.append((".".join(name for _, name in path), " ".join(words)))
            words = []
    return found


def default(values: Any, path: str) -> str:
    """The default of a key, as YAML's flow style shows it."""
    for name in path.split("."):
        values = values[name]
    return "see values.yaml" if isinstance(values, dict) and values else json.dumps(values)


def main() -> None:
    """`generate_readme.py CHART`: its README with the table made anew, to standard output."""
    chart = Path(sys.argv[1])
    text = (chart / "values.yaml").read_text(encoding="utf-8")
    values = yaml.safe_load(text)
    rows = [f"| `{path}` | {says.replace('|', ',')} | `{default(values, path)}` |" for path, says in documented(text)]
    table = "\n".join(["| value | what it is | default |", "|---|---|---|", *rows])
    before, _, rest = (chart / "README.md").read_text(encoding="utf-8").partition(MARK)
    after = rest.partition(MARK)[2]
    print(f"{before}{MARK}\n{table}\n{MARK}{after}", end="")


if __name__ == "__main__":
    main()
