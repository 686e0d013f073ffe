"""Every page, in every state and language: its hooks, its frame, and nothing that its policy forbids."""

import re
from collections import Counter

import pytest

from idp.pages import LANGUAGES
from tests.unit.page_reading import pages, read
from tests.unit.page_samples import RENDERED, ROOT, SAMPLES

HOOKS = {
    "login": {"button[name=key]"},
    "eid": {"select#card[name=card]", "input#pin[name=pin]", "#submit", "#new-card-submit", "#new_number"},
    "password": {"form#login-form", "#username", "#password", "#login-submit"},
    "code": set(),
    "itsme": {"input#phone[name=phone]", "button#itsme-submit"},
    "itsme-wait": {"button#itsme-continue", "img#itsme-picture"},
    "itsme-phone": set(),
    "itsme-failed": {"a#itsme-again"},
    "identity": set(),
    "consent": {"button#consent-allow[name=answer]", "button#consent-deny[name=answer]"},
    "no-access": {"h1#no-access", "#no-access-reference"},
    "error": {"#error-page", "#error-code", "#error-reference"},
    "logout": {"#logout-confirm", "#logout-cancel"},
    "logged-out": {"h1#logged-out"},
    "form-post": {"form#form-post"},
}

SCRIPTED = ("form-post", "logged-out", "itsme-wait", "passkey", "key-add")
"""The pages that a script makes nicer; each works without."""

each = pytest.mark.parametrize(
    ("number", "language"),
    [(number, language) for number in range(len(SAMPLES)) for language in LANGUAGES],
    ids=[f"{one.template} {one.state} {language}" for one, language in RENDERED],
)


def test_every_template_has_a_sample() -> None:
    shown = {one.template for one in SAMPLES}
    built_on = {f"{name}.html" for name in ("layout", "applicant", "own_keys", "names", "words")}
    built_on |= {f"simulators/{name}.html" for name in ("frame", "pictures")}
    there = {file.relative_to(ROOT / "templates").as_posix() for file in (ROOT / "templates").rglob("*.html")}
    assert there == shown | built_on


@each
def test_a_page_has_its_frame_and_its_hooks(number: int, language: str) -> None:
    page, one = read(number, language), SAMPLES[number]
    assert page.all("html") == [{"lang": language, "dir": "ltr"}]
    assert [body["data-page"] for body in page.all("body")] == [one.name]
    assert len(page.all("h1")) == 1
    assert len(page.all("title")) == 1
    assert page.elements[[tag for tag, _ in page.elements].index("body") + 1] == (
        "a",
        {"class": "skip", "href": "#main"},
    )
    assert {link["href"] for link in page.all("a")} >= {"/hulp", "/privacy", "/toegankelijkheid"}
    assert [link["lang"] for link in page.all("a") if "lang" in link] == list(LANGUAGES)
    assert (("aside", "sim") in [(t, a.get("class")) for t, a in page.elements]) is one.simulators
    assert [hook for hook in HOOKS.get(one.name, set()) if not page.has(hook)] == []


@each
def test_a_page_holds_nothing_that_its_policy_forbids(number: int, language: str) -> None:
    page = read(number, language)
    for tag, attributes in page.elements:
        assert tag != "style"
        assert [name for name in attributes if name == "style" or name.startswith("on")] == []
        for address in (attributes.get("src", ""), attributes.get("href", "")):
            assert not address.lower().startswith(("data:", "javascript:"))
        if tag in ("script", "link") or (tag == "img" and not attributes.get("id", "").startswith("client-logo")):
            assert (attributes.get("src") or attributes["href"]).startswith(("/static/", "/sleutels/nieuw/"))
    assert "script" not in [tag for tag, _ in page.elements] or SAMPLES[number].name in SCRIPTED


@each
def test_ids_are_unique_and_what_refers_to_one_finds_it(number: int, language: str) -> None:
    page = read(number, language)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert [id for id, times in Counter(ids).items() if times > 1] == []
    referred = [
        id
        for _, attributes in page.elements
        for name in ("for", "aria-labelledby", "aria-describedby")
        for id in attributes.get(name, "").split()
    ]
    anchors = [a["href"][1:] for a in page.all("a") if a["href"].startswith("#")]
    assert set(referred + anchors) - set(ids) == set()


@each
def test_every_field_has_a_label_and_every_form_its_csrf_value(number: int, language: str) -> None:
    page = read(number, language)
    labelled = {label["for"] for label in page.all("label")}
    fields = [a for tag, a in page.elements if tag in ("input", "select") and a.get("type") != "hidden"]
    assert {field["id"] for field in fields} - labelled == set()
    guarded = [a for tag, a in page.elements if tag == "input" and a.get("name") == "csrf"]
    posted = [form for form in page.all("form") if form["method"] == "post"]
    unguarded = SAMPLES[number].name in ("form-post", "clock")
    assert [field["value"] for field in guarded] == ["c5rf"] * (0 if unguarded else len(posted))


@each
def test_an_error_is_told_above_at_the_field_and_in_the_title(number: int, language: str) -> None:
    page = read(number, language)
    html = SAMPLES[number].html(pages(), language)
    told = any(a.get("role") == "alert" for _, a in page.elements)
    title = re.search("<title>(.*?)</title>", html)
    assert title
    assert title[1].startswith(pages().sentence(language, "Fout:")) is told
    assert not told or html.index('role="alert"') < html.index("<h1")
    assert ("invalid" in html and 'class="wrong"' in html) is (told and "aria-invalid" in html)


@each
def test_no_page_leaves_a_place_unfilled(number: int, language: str) -> None:
    words = read(number, language).words()
    assert not re.search(r"%\(|\{\{|\{%|Undefined", words)
    assert language == "en" or not re.search(r"\bNone\b", words)


def test_every_class_of_a_page_is_in_the_stylesheet_and_the_other_way_round() -> None:
    css = (ROOT / "static" / "style.css").read_text()
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", css)))
    used = {name for n in range(len(SAMPLES)) for _, a in read(n, "nl").elements for name in a.get("class", "").split()}
    assert used - {"administrator"} == styled
