"""A session as a value: what it remembers of applications is bounded."""

from idp.sessions import MOST_CLIENTS, Session

EMPTY = Session(sid="s", cookie_hash="c", person_id="p", browser_id="b", authentications=(), created_at=0, expires_at=1)


def test_of_too_many_applications_the_newest_are_remembered() -> None:
    session = EMPTY
    for number in range(2 * MOST_CLIENTS):
        session = session.with_client(f"client-{number}").with_identity(f"client-{number}", f"EA:{number}")
    assert (len(session.clients), len(session.identities)) == (MOST_CLIENTS, MOST_CLIENTS)
    assert session.clients[-1] == f"client-{2 * MOST_CLIENTS - 1}"
    assert session.identities[f"client-{2 * MOST_CLIENTS - 1}"] == f"EA:{2 * MOST_CLIENTS - 1}"
    assert "client-0" not in session.clients


def test_a_second_visit_and_another_choice_push_nobody_out() -> None:
    session = EMPTY
    for number in range(MOST_CLIENTS):
        session = session.with_client(f"client-{number}").with_identity(f"client-{number}", "EA:1")
    again = session.with_client("client-0").with_identity("client-0", "EA:2")
    assert again.clients == session.clients
    assert again.identities == session.identities | {"client-0": "EA:2"}
