"""The bench's own arithmetic: a figure that nobody can check by eye must not be wrong."""

import json
from dataclasses import replace

from tests.bench.flows import FLOWS
from tests.bench.load import Measurement
from tests.bench.profiled import PROFILE_PATH, Profiled
from tests.bench.report import markdown, table

OURS = Measurement(
    flow="refresh",
    subject="toegang",
    store="redis",
    alg="ES256",
    per_s=3000.0,
    p50_ms=5.0,
    p99_ms=20.0,
    errors=0,
    cpu_s_per_request=0.0002,
    fault="",
    foreign=0.0,
)
PEER = replace(OURS, subject="oidc-provider", per_s=1500.0, cpu_s_per_request=0.0006)
NOTHING = float("nan")


def row_of(text: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith("refresh")).split()


def test_a_ratio_above_one_means_that_we_do_more() -> None:
    assert row_of(table([OURS, PEER]))[-2:] == ["2.00", "3.00"]


def test_what_could_not_be_measured_is_null_and_has_no_ratio() -> None:
    failed = replace(OURS, per_s=NOTHING, p50_ms=NOTHING, p99_ms=NOTHING, cpu_s_per_request=NOTHING, errors=1)
    assert json.loads(failed.line)["per_s"] is None
    assert row_of(table([failed, PEER]))[-2:] == ["–", "–"]


def test_a_line_has_the_members_that_others_read() -> None:
    members = ["flow", "subject", "store", "alg", "per_s", "p50_ms", "p99_ms", "errors", "cpu_s_per_request"]
    assert list(json.loads(OURS.line)) == members


def test_a_disturbed_measurement_is_marked() -> None:
    assert row_of(table([replace(OURS, foreign=0.5), PEER]))[0] == "refresh*"


def test_the_page_tells_the_conditions_before_the_figures() -> None:
    page = markdown([OURS, PEER], {"asked": "ES256"})
    assert page.index("| asked | ES256 |") < page.index("| refresh | 3,000 |")


def test_each_flow_has_a_name_of_its_own() -> None:
    assert len({flow.name for flow in FLOWS}) == len(FLOWS)


def test_a_profile_counts_what_was_called_since_the_last_one() -> None:
    profiled = Profiled(lambda _environ, _respond: [b"done"])
    for _ in range(3):
        assert list(profiled({"PATH_INFO": "/"}, print)) == [b"done"]
    said = b"".join(profiled({"PATH_INFO": PROFILE_PATH}, lambda *_: None)).decode()
    assert said.startswith("3 requests")
    assert profiled.report() == ""
