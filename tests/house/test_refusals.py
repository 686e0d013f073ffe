"""The table of errors in docs/errors.md and the code are in step, and no refusal says more than one plain sentence."""

import re

import pytest

from tests.house.refusals import FILLED_IN, METADATA_ERROR, Refusal, all_refusals, classes, code_of, is_error
from tests.house.source import ROOT, modules

TABLE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "integrate.md").read_text(encoding="utf-8")


def rows() -> dict[tuple[str, str], str]:
    """The cure of each error and sentence; of a rule on metadata, the sentence is the cure."""
    found: dict[tuple[str, str], str] = {}
    for section in TABLE.split("\n## `")[1:]:
        error, _, text = section.partition("`\n")
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if line.startswith("- "):
                found[error, line[2:]] = line[2:]
            elif line.startswith("| ") and len(cells) == 2 and cells[0] not in ("sentence", "---"):
                found[error, cells[0]] = cells[1]
    return found


def test_every_refusal_stands_in_the_table_and_no_other() -> None:
    said = {(one.error, one.sentence): one for one in all_refusals()}
    missing = [written(said[key]) for key in said.keys() - rows().keys()]
    idle = [f"## `{error}`: {sentence}" for error, sentence in rows().keys() - said.keys()]
    if missing or idle:
        told = ["docs/errors.md misses, by section:", *sorted(missing), "and has, but nobody says:", *sorted(idle)]
        pytest.fail("\n".join(told), pytrace=False)


def written(one: Refusal) -> str:
    """The line to add, with where it is said."""
    line = f"- {one.sentence}" if one.error == METADATA_ERROR else f"| {one.sentence} | … |"
    return f"## `{one.error}` ({one.place}): {line}"


def test_every_row_has_a_cure_and_every_section_a_cause() -> None:
    assert [key for key, cure in rows().items() if len(cure) < 4] == []
    for section in TABLE.split("\n## `")[1:]:
        error, _, text = section.partition("`\n")
        assert text.partition("\n")[0].endswith("."), error


def test_every_error_of_the_provider_has_a_section_or_says_nothing() -> None:
    codes = {code_of(name) for name in classes() if is_error(name)}
    sections = set(re.findall(r"^## `([a-z_]+)`$", TABLE, re.MULTILINE))
    assert codes - sections == set()
    assert sections - codes == set()


def test_the_guide_names_no_error_that_is_none() -> None:
    codes = {code_of(name) for name in classes() if is_error(name)}
    table = GUIDE.partition("\n## Errors\n")[2].partition("\n## ")[0]
    named = {name for name in re.findall(r"`([a-z_]+)`", table) if name.endswith(("_required", "_pending"))}
    named |= {name for line in table.splitlines() for name in re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+)", line)}
    assert {code for names in named for code in re.findall(r"[a-z_]+", names)} <= codes
    assert "errors.md" in table


@pytest.mark.parametrize("one", all_refusals(), ids=lambda one: f"{one.error}: {one.sentence}"[:90])
def test_a_refusal_is_one_plain_sentence(one: Refusal) -> None:
    assert one.sentence.endswith("."), one.place
    assert not re.search(r"[.!?] ", one.sentence), f"{one.place} says more than one sentence"
    assert len(one.sentence) <= 160, one.place
    # RFC 6749 §5.2 and RFC 6750 §3: plain ASCII, and neither quotes nor backslashes, which would end a challenge.
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*", one.sentence.replace("…", "")), one.place


def test_whatever_may_be_filled_in_is() -> None:
    source = "\n".join(module.text for module in modules("idp"))
    plain = source.replace('"', "'")
    assert [filled for filled in FILLED_IN if f"{{{filled}}}" not in plain] == []
