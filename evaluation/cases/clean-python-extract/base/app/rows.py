def totals(lines: list[str]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        name, _, amount = line.partition(",")
        sums[name.strip()] = sums.get(name.strip(), 0) + int(amount)
    return sums
