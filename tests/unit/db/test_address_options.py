"""An option of a database address works as its name says, or is refused before the first connection [T9]."""

from pathlib import Path

import pytest

from app.db.address_options import ENCRYPTING, WORKING, find_faults
from tests.support.certificates import new_authority

ADDRESS = "postgresql://user@host"


def faults(query: str, address: str = ADDRESS) -> list[str]:
    return list(find_faults(f"{address}?{query}"))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user:password@host:5432/database",
        "postgresql:///database?host=/run/postgresql&user=me&port=5433",
        "postgresql://host/database?user=me&password=a%40b",
        f"{ADDRESS}/database?options=-c%20search_path%3Dpublic",
        *(f"{ADDRESS}?sslmode={mode}" for mode in ("disable", "allow", "prefer", *ENCRYPTING)),
        f"{ADDRESS}?sslmode=require&sslnegotiation=direct&ssl_min_protocol_version=TLSv1.3",
        f"{ADDRESS}?target_session_attrs=read-write",
    ],
)
def test_the_options_that_work_are_accepted(address: str):
    assert list(find_faults(address)) == []


@pytest.mark.parametrize(
    "name",
    [
        *("application_name", "channel_binding", "connect_timeout", "fallback_application_name"),
        *("gssencmode", "gsslib", "hostaddr", "keepalives", "krbsrvname", "load_balance_hosts"),
        *("replication", "require_auth", "service", "sslcertmode", "sslcompression", "sslcrldir"),
        *("sslsni", "statement_timeout", "tcp_user_timeout", "work_mem", "client_encoding"),
    ],
)
def test_an_option_that_the_driver_would_not_carry_out_is_named(name: str):
    assert name not in WORKING
    (fault,) = faults(f"{name}=1")
    assert fault.startswith(f"`{name}` cannot be used; ")


@pytest.mark.parametrize("name", sorted(WORKING))
def test_an_option_without_a_value_is_refused_because_the_driver_drops_it(name: str):
    assert faults(f"sslmode=require&{name}=")[0] == f"`{name}` has no value; set it or leave it out"


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("sslmode=verify_full", "`sslmode` must be one of"),
        ("ssl_min_protocol_version=TLSv1", "`ssl_min_protocol_version` must be one of TLSv1.2, TLSv1.3"),
        ("target_session_attrs=leader", "`target_session_attrs` must be one of"),
        ("sslnegotiation=direct", "`sslnegotiation=direct` needs sslmode=verify-full"),
        ("sslmode=verify-full&sslrootcert=system", "`sslrootcert=system` cannot be used"),
        ("sslmode=verify-full&sslrootcert=/none", "`sslrootcert`: its file cannot be read"),
        ("passfile=/none", "`passfile`: its file cannot be read"),
        ("port=many", "`port` must be a number"),
        ("user=other", "`user` is in it twice"),
        ("host=other", "`host` is in it twice"),
        ("sslmode", "what follows the ? is not a list of options"),
    ],
)  # fmt: skip
def test_a_value_that_would_be_ignored_or_misread_is_refused(query: str, fault: str):
    (found,) = faults(query)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user:secret#pass@host/db?sslmode=verify-full",
        "postgresql://user:secret?pass=x@host/db?sslmode=verify-full",
        "postgresql://user:1/secret@host/db?sslmode=verify-full",
        "postgresql://user:1?secret=1&x=y@host/db",
    ],
)
def test_an_unquoted_password_is_not_shown_and_takes_no_option_away(address: str):
    # all after # was lost, sslmode too
    (fault,) = find_faults(address)
    assert fault.startswith("one of the characters # ? / @ is in it unquoted")
    assert "secret" not in fault


def test_files_of_tls_must_have_an_effect_and_be_what_they_are_named(tmp_path: Path):
    authority = new_authority(tmp_path / "authority")
    own, other, text = authority.sign("own"), authority.sign("other"), tmp_path / "text"
    text.write_text("no certificate")
    root = f"sslrootcert={authority.certificate}"
    assert faults(f"sslmode=verify-full&{root}&sslcert={own.certificate}&sslkey={own.key}") == []
    assert faults(root)[0].startswith("`sslrootcert` has no effect without sslmode=verify-full")
    assert faults(f"{root}&sslmode=prefer") == faults(root)
    assert faults(f"sslkey={own.key}") == ["`sslkey` has no effect without sslcert; set both"]
    for name in ("sslrootcert", "sslcrl"):
        (fault,) = faults(f"sslmode=verify-ca&{name}={text}")
        assert fault.startswith(f"`{name}`: its file has no certificates")
    (fault,) = faults(f"sslmode=require&sslcert={own.certificate}&sslkey={other.key}")
    assert fault.startswith("`sslcert` and `sslkey` do not name a certificate and its key")
