"""Refresh tokens that hostile senders make up: each is read as what it is, or as none."""

from hypothesis import given
from hypothesis import strategies as st

from idp.flows.refresh_tokens import RefreshToken, RefreshTokens
from tests.worlds import PlainSealer

TOKENS = RefreshTokens(PlainSealer())


@given(st.text(max_size=80), st.integers(0, 10**9))
def test_what_is_written_is_read_and_nothing_else(grant_id: str, number: int) -> None:
    token = RefreshToken(grant_id, number)
    written = TOKENS.write(token)
    assert TOKENS.read(written) in (token, None)  # None: longer than any of ours
    assert TOKENS.read(written) == token or len(written) > 100
    assert TOKENS.read(written + "~") != token


@given(st.text() | st.from_regex(r"[0-9]+~[a-z~]*~[0-9a-f]*", fullmatch=True))
def test_text_is_no_token(text: str) -> None:
    assert TOKENS.read(text) is None
