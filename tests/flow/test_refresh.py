"""Refresh tokens that rotate: an answer that was lost is given again, a token that was stolen ends the family."""

from pathlib import Path

import pytest

from idp.flows.grants import REPEAT_SECONDS
from tests.flow.estate import Browser, Estate, Tokens
from tests.flow.journeys import introspect, refresh, sign_in


def offline(browser: Browser, client_id: str = "hinderpremie", person: str = "dirk") -> Tokens:
    return sign_in(browser, client_id, person, scope=browser.estate.client(client_id)["scope"])


def assert_ended(estate: Estate, *all_tokens: Tokens, client_id: str = "hinderpremie") -> None:
    for tokens in all_tokens:
        again = refresh(estate, client_id, tokens.body["refresh_token"])
        assert (again.status, again.body["error"]) == (400, "invalid_grant")
        assert estate.userinfo(tokens.body["access_token"]).status_code == 401


def test_a_lost_answer_is_given_again(estate: Estate, browser: Browser) -> None:
    first = offline(browser)
    lost = refresh(estate, "hinderpremie", first.body["refresh_token"])
    estate.clock.advance(REPEAT_SECONDS)
    again = refresh(estate, "hinderpremie", first.body["refresh_token"])
    assert again.body["refresh_token"] == lost.body["refresh_token"] != first.body["refresh_token"]
    assert again.body["access_token"] != lost.body["access_token"]
    assert refresh(estate, "hinderpremie", again.body["refresh_token"]).status == 200


def test_a_rotated_token_that_comes_back_later_ends_the_family(estate: Estate, browser: Browser) -> None:
    first = offline(browser)
    second = refresh(estate, "hinderpremie", first.body["refresh_token"])
    estate.clock.advance(REPEAT_SECONDS + 1)
    third = refresh(estate, "hinderpremie", second.body["refresh_token"])
    assert third.status == 200
    assert refresh(estate, "hinderpremie", first.body["refresh_token"]).body["error"] == "invalid_grant"
    assert_ended(estate, first, second, third)


def test_a_repeat_does_not_make_the_time_for_repeats_longer(estate: Estate, browser: Browser) -> None:
    token = offline(browser).body["refresh_token"]
    assert refresh(estate, "hinderpremie", token).status == 200
    estate.clock.advance(REPEAT_SECONDS)
    assert refresh(estate, "hinderpremie", token).status == 200
    estate.clock.advance(1)
    assert refresh(estate, "hinderpremie", token).status == 400


def test_a_thief_of_another_client_gets_nothing_by_repeating(estate: Estate, browser: Browser) -> None:
    first = offline(browser)
    second = refresh(estate, "hinderpremie", first.body["refresh_token"])
    assert refresh(estate, "subsidieloket", first.body["refresh_token"]).body["error"] == "invalid_grant"
    assert refresh(estate, "hinderpremie", second.body["refresh_token"]).status == 200


def test_a_repeat_after_the_grant_has_ended_gets_nothing(estate: Estate, browser: Browser) -> None:
    first = offline(browser)
    second = refresh(estate, "hinderpremie", first.body["refresh_token"])
    estate.call("/op/v1/revoke", "hinderpremie", {"token": second.body["refresh_token"]})
    assert_ended(estate, first, second)


def test_a_successor_does_not_live_longer_than_the_grant(estate: Estate, browser: Browser) -> None:
    token = offline(browser).body["refresh_token"]
    ends_at = introspect(estate, "hinderpremie", token)["exp"]
    for _ in range(3):
        estate.clock.advance(86400)
        token = refresh(estate, "hinderpremie", token).body["refresh_token"]
        assert introspect(estate, "hinderpremie", token)["exp"] == ends_at


def test_a_used_token_is_told_as_inactive_also_while_it_may_be_repeated(estate: Estate, browser: Browser) -> None:
    token = offline(browser).body["refresh_token"]
    refresh(estate, "hinderpremie", token)
    assert introspect(estate, "hinderpremie", token) == {"active": False}


def test_nothing_in_the_database_gives_a_token_away(estate: Estate, browser: Browser) -> None:
    token = refresh(estate, "hinderpremie", offline(browser).body["refresh_token"]).body["refresh_token"]
    _, grant_id, secret = token.split("~")
    folder = Path(estate.settings.database_url.removeprefix("sqlite:///")).parent
    kept = b"".join(file.read_bytes() for file in folder.glob("toegang.sqlite*"))
    assert grant_id.encode() in kept
    assert secret.encode() not in kept


def test_a_token_from_farther_back_ends_the_family_at_once(estate: Estate, browser: Browser) -> None:
    first = offline(browser).body["refresh_token"]
    second = refresh(estate, "hinderpremie", first).body["refresh_token"]
    third = refresh(estate, "hinderpremie", second).body["refresh_token"]
    assert refresh(estate, "hinderpremie", first).body["error"] == "invalid_grant"
    assert refresh(estate, "hinderpremie", third).body["error"] == "invalid_grant"


def test_a_token_that_is_made_up_is_none_and_harms_no_family(estate: Estate, browser: Browser) -> None:
    token = refresh(estate, "hinderpremie", offline(browser).body["refresh_token"]).body["refresh_token"]
    number, grant_id, secret = token.split("~")
    made_up = (
        f"0~{grant_id}~{secret}",
        f"{int(number) + 1}~{grant_id}~{secret}",
        f"0{number}~{grant_id}~{secret}",
        f"{number}~{grant_id}~{'0' * 64}",
        f"{number}~{grant_id}~{secret.upper()}",
        f"{number}~{grant_id}",
        f"{number}~~{secret}",
        grant_id,
        token + "~",
        token + "\0",
    )
    for one in made_up:
        assert refresh(estate, "hinderpremie", one).body["error"] == "invalid_grant", one
        assert introspect(estate, "hinderpremie", one) == {"active": False}
        assert estate.call("/op/v1/revoke", "hinderpremie", {"token": one}).status == 200
    assert refresh(estate, "hinderpremie", token).status == 200


@pytest.mark.parametrize(("rotation", "stays"), [(False, True), (True, False)])
def test_a_confidential_client_rotates_only_where_it_is_registered_so(
    estate: Estate, *, rotation: bool, stays: bool
) -> None:
    estate.register("hinderpremie", refresh_token_rotation=rotation)
    token = offline(estate.browser()).body["refresh_token"]
    assert (refresh(estate, "hinderpremie", token).body["refresh_token"] == token) is stays
