"""One table for people, one list for programs."""
import json


def digits(value):
    if value is None:
        return "-"
    if value and (abs(value) >= 1e6 or abs(value) < 1e-2):
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def verdict(goal, row):
    """"met" or "missed", or nothing where there is no goal."""
    if not goal:
        return ""
    sign, bound = goal.split()[:2]
    if sign == "+":  # At most so much more than theirs.
        met = row["ours"] - row["theirs"] <= float(bound)
    else:
        value = row["ratio"] if len(goal.split()) == 2 else row["ours"]  # With a unit: our own figure.
        met = value >= float(bound) if sign == ">=" else value <= float(bound)
    return f"{goal}: {'met' if met else 'MISSED'}"


def print_rows(rows, goals):
    """Rows that share scenario, variant and unit stand below one heading."""
    heading = None
    for row, goal in zip(rows, goals):
        here = (row["scenario"], row["variant"], row["unit"])
        if here != heading:
            heading = here
            print(f"\n{row['scenario']} | {row['variant']} | {row['unit']}: NetRunner {digits(row['ours'])}")
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        peer = row["peer"] or "(goal)"
        if row["peer"] or goal:
            print(f"    {peer:<28}{digits(row['theirs']):>14}{ratio:>9}   {verdict(goal, row)}".rstrip(), flush=True)


def write_json(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")
