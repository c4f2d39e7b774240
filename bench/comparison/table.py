"""The report for people."""


def seconds(value):
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def mib(count):
    return f"{count / (1 << 20):.0f}"


def rate(result, contest):
    """Files a second, or MB/s where files are few."""
    if contest["files"] >= 1000 or not contest["bytes"]:
        return f"{result['files_per_second']:,.0f} files/s"
    return f"{result['bytes_per_second'] / 1e6:,.1f} MB/s"


def lay_out(rows, left=1):
    """Columns as wide as they need; the first `left` flush left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if column < left else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths))]
        yield "  " + "  ".join(cells).rstrip()


def contest(part):
    """One contest: a line a program, then what each does."""
    size = f", {part['bytes'] / 1e6:,.1f} MB" if part["bytes"] else ""
    yield f"\n== {part['section']}: {part['title']} ({part['files']:,} files{size})"
    yield from (f"   {note}" for note in part["notes"])
    rows = [["", "wall s", "min", "max", "CPU s", "RSS MiB", "of tree", "others", "rounds", "rate"]]
    for name, result in part["programs"].items():
        rows.append([name, seconds(result["wall"]), seconds(result["wall_min"]), seconds(result["wall_max"]), seconds(result["cpu"]),
                     mib(result["rss_largest_process"]), mib(result["rss_sum_of_tree"]), f"{100 * result['foreign_share']:.0f} %",
                     str(result["rounds"]), rate(result, part)])
    yield from lay_out(rows)
    for name, result in part["programs"].items():
        yield f"    {name}: {result['does']}"
    simple = {key: value for key, value in part["facts"].items() if not isinstance(value, (dict, list))}
    if simple:
        yield "    checked: " + ", ".join(f"{key.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{key.replace('_', ' ')} {value:.4f}"
                                          for key, value in simple.items())


def asked(entry):
    if entry.get("asked") is None:
        return "-"
    sign = "<=" if entry.get("at_most") else ">="
    aim = f" (aim {entry['aim']:g})" if entry.get("aim") else ""
    return f"{sign} {entry['asked']:g}{aim}"


def summary(parts):
    """Every ratio and claim of all contests."""
    rows = [["section", "what", "wall x", "range", "CPU x", "asked", "", "others"]]
    for part in parts:
        for ratio in part["ratios"]:
            rows.append([part["section"], f"{ratio['fast']} : {ratio['slow']}", f"{ratio['wall']:.2f}", f"{ratio['low']:.2f}-{ratio['high']:.2f}",
                         f"{ratio['cpu']:.2f}", asked(ratio), ratio.get("verdict", ""), f"{100 * ratio['foreign_share']:.0f} %"])
        for claim in part["claims"]:
            rows.append([part["section"], claim["claim"], f"{claim['value']:.2f}", "", "", asked(claim), claim.get("verdict", ""), ""])
    yield "\n== Ratios: how many times faster the first is than the second"
    yield from lay_out(rows, left=2)
