"""The report: both subjects side by side, a line for each flow, as text or as Markdown.

Promises: a ratio above 1 means that Toegang does more; figures of a disturbed measurement are marked.
Must not know: how anything was measured.
"""

from collections.abc import Mapping, Sequence

from tests.bench.flows import FLOWS
from tests.bench.load import Measurement

COLUMNS = (
    *("flow", "toegang/s", "p50 ms", "p99 ms", "CPU µs"),
    *("oidc-provider/s", "p50 ms", "p99 ms", "CPU µs", "ratio", "CPU ratio"),
)
DISTURBED = 0.1
NOTES = (
    "CPU µs: processor time of the server for one operation. ratio: operations a second, toegang by oidc-provider;",
    "CPU ratio: the same for operations a CPU second, which other programs on the machine disturb less.",
    "*: another program used over a tenth of a core meanwhile, so trust the CPU figures alone.",
)


def table(measured: Sequence[Measurement]) -> str:
    """The table for a terminal."""
    rows = [COLUMNS, *_rows(measured)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(_padded, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, "", *NOTES, *_remarks(measured)])


def markdown(measured: Sequence[Measurement], conditions: Mapping[str, str]) -> str:
    """The same as a page, conditions first."""
    head = ["| condition | |", "| --- | --- |", *(f"| {name} | {words} |" for name, words in conditions.items())]
    shown = [f"| {' | '.join(row)} |" for row in (COLUMNS, ["---"] + ["---:"] * (len(COLUMNS) - 1), *_rows(measured))]
    notes = [f"- {note}" for note in (" ".join(NOTES[:2]), NOTES[2], *_remarks(measured))]
    return "\n".join(["# Measured by `scripts/bench`", "", *head, "", *shown, "", *notes, ""])


def _rows(measured: Sequence[Measurement]) -> list[tuple[str, ...]]:
    of = {(one.flow, one.subject): one for one in measured}
    names = [flow.name for flow in FLOWS if any(one.flow == flow.name for one in measured)]
    return [_row(name, of.get((name, "toegang")), peer=of.get((name, "oidc-provider"))) for name in names]


def _row(name: str, ours: Measurement | None, *, peer: Measurement | None) -> tuple[str, ...]:
    ratios = ("", "")
    if ours and peer:
        ratios = (_number(ours.per_s / peer.per_s), _number(peer.cpu_s_per_request / ours.cpu_s_per_request))
    is_disturbed = any(one and one.foreign > DISTURBED for one in (ours, peer))
    return (f"{name}{'*' if is_disturbed else ''}", *_figures(ours), *_figures(peer), *ratios)


def _figures(one: Measurement | None) -> tuple[str, str, str, str]:
    if one is None:
        return ("", "", "", "")
    per_s = f"{_number(one.per_s)}{f' ({one.errors} errors)' if one.errors else ''}"
    return (per_s, _number(one.p50_ms), _number(one.p99_ms), _number(one.cpu_s_per_request * 1e6))


def _number(value: float) -> str:
    if value != value:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _padded(cell: str, width: int) -> str:
    return cell.rjust(width) if cell[:1].isdigit() or cell in COLUMNS[1:] else cell.ljust(width)


def _remarks(measured: Sequence[Measurement]) -> list[str]:
    names = {one.flow for one in measured if one.subject == "oidc-provider"}
    return [f"{flow.name}: {flow.remark}." for flow in FLOWS if flow.remark and flow.name in names]
