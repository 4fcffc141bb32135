def totals(lines: list[str]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for name, amount in map(parsed, lines):
        sums[name] = sums.get(name, 0) + amount
    return sums


def parsed(line: str) -> tuple[str, int]:
    name, _, amount = line.partition(",")
    return name.strip(), int(amount)
