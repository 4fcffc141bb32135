"""A merge request of the usual size: 327 changed lines in four Python files, four of them defective."""

from __future__ import annotations

_SIZES = (110, 90, 77, 50)
_NAMES = ("orders", "prices", "stock", "carriers")
_DEFECTS = (
    ("    return db.execute(f\"SELECT * FROM orders WHERE name = '{rows}'\")",),
    ("    for position in range(len(rows) + 1):", "        rows[position].check()"),
    ("    if rows == None:", "        return 0"),
    ("    return sum(rows) / len(rows)",),
)

CHANGED_LINES = sum(_SIZES)
FILES = len(_SIZES)


def changes(variant: int = 0) -> dict[str, str]:
    """Return the new files, by path; every *variant* differs in every file."""
    return {
        f"shop_{variant}/{name}.py": _file(name, variant, size, defect)
        for name, size, defect in zip(_NAMES, _SIZES, _DEFECTS, strict=True)
    }


def _file(name: str, variant: int, size: int, defect: tuple[str, ...]) -> str:
    lines = [f'"""Rules of {name} in shop {variant}."""', "", "", f"def odd_{name}(db, rows):", *defect]
    number = 0
    while len(lines) < size:
        number += 1
        lines += [
            "",
            "",
            f"def {name}_{number}(rows, limit):",
            f'    """Return what {name} rule {number} leaves of the rows."""',
            f"    kept = [row for row in rows if row.weight > {number}]",
            "    total = 0",
            "    for row in kept[:limit]:",
            f"        total += row.price * {number} + row.count",
            "    return total",
        ]
    return "\n".join(lines[:size]) + "\n"
