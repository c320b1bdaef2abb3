"""`check` says of each address whether its connections are encrypted, and whether it is known who answers."""

import pytest

from app.cli.check import Level, _encryption
from app.db.connection import Link
from app.db.encryption import Encryption


def found(link: Link, *, reaches_server: bool = True, is_pooled: bool = False) -> tuple[Level, str]:
    finding = _encryption(Encryption("URL", link, reaches_server, is_pooled))
    return finding.level, finding.text


@pytest.mark.parametrize(
    ("link", "level", "text"),
    [
        (Link("TLSv1.3", is_verified=True, is_local=False), Level.OK, "is encrypted (TLSv1.3)"),
        (Link("TLSv1.3", is_verified=False, is_local=False), Level.WARNING, "nobody checks who answers"),
        (Link(None, is_verified=False, is_local=False), Level.WARNING, "is not encrypted; add sslmode=verify-full"),
        (Link(None, is_verified=False, is_local=True), Level.OK, "does not leave this machine"),
        (Link("TLSv1.2", is_verified=False, is_local=True), Level.OK, "is encrypted (TLSv1.2)"),
    ],
)  # fmt: skip
def test_what_leaves_the_machine_must_be_encrypted_and_verified(
    link: Link, level: Level, text: str
):
    shown_level, shown = found(link)
    assert (shown_level, shown.startswith("URL: the connection to the server")) == (level, True)
    assert text in shown


@pytest.mark.parametrize("reaches_server", [True, False])
def test_behind_a_pooler_it_says_both_ways(*, reaches_server: bool):
    link = Link("TLSv1.3", is_verified=True, is_local=False)
    _, shown = found(link, reaches_server=reaches_server, is_pooled=True)
    assert shown == (
        "URL: the connection to the pooler is encrypted (TLSv1.3); that of the pooler to the server is"
        f" {'' if reaches_server else 'not '}encrypted"
    )
