"""Types of options that the commands share, and the report of a mistake: one line, with exit code 2.

What an option does belongs to its command.
"""

import os
import re
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typing_extensions import override

from app import logs
from app.api.deps import ACCOUNT_ID
from app.cli.startup import stderr
from app.db.accounts.service_tokens import Scope
from app.errors import CannotStart

HELP = "`levitate-clio --help` lists the commands, and `--help` after a command its options"


class CommandGroup(TyperGroup):
    """Commands that report a mistake in one line, without a usage text or a traceback, and exit with code 2.

    A defect is logged without its text, and they exit with code 70.
    """

    @override
    def main(self, *args: Any, **extra: Any) -> NoReturn:
        try:
            sys.exit(super().main(*args, **{**extra, "standalone_mode": False}))
        except CannotStart as reason:
            _print(str(reason))
        except typer.TyperException as error:
            _print(_one_line(error))
        except typer.Abort:
            sys.exit(130)
        except Exception as error:  # noqa: BLE001  # Python would print its text
            logs.log_uncaught(error)
            sys.exit(os.EX_SOFTWARE)
        sys.exit(2)


def _one_line(error: typer.TyperException) -> str:
    """Return the mistake and what to do; nothing if the help was printed because there were no arguments."""
    text = " ".join(error.format_message().split()).rstrip(".").replace("Input should", "it should")
    return f"{text}; {HELP}" if text and " should " not in text else text


def _print(line: str) -> None:
    if line:
        stderr.print(line, markup=False)


def _host(value: str) -> str:
    if not re.fullmatch(r"[\w.:%-]+", value):
        raise typer.BadParameter("it should be an address or a host name such as 127.0.0.1")
    return value


def _printable(value: str) -> str:
    if not (value.strip() and value.isprintable() and len(value) <= 200):
        raise typer.BadParameter("it should have 1 to 200 printable characters")
    return value


def _account_ids(values: list[str] | None) -> list[str] | None:
    for value in values or ():
        if not re.fullmatch(ACCOUNT_ID, value):
            raise typer.BadParameter(
                "it should be 1 to 64 letters, digits, '.', '_' or '-', with a letter or digit first"
            )
    return values


def _origin_and_path(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+/[^\s?#]*", value):
        raise typer.BadParameter(
            "it should be a URL such as http://127.0.0.1:8000/oauth/clio/callback"
        )
    return value


Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for a free one")]
Host = Annotated[str, typer.Option(callback=_host, help="Address to listen on")]
TokenName = Annotated[str, typer.Option(callback=_printable, help="What the token is for")]
AccountIds = Annotated[
    list[str] | None,
    typer.Option(callback=_account_ids, help="Only for this account; may be repeated"),
]
TokenId = Annotated[str, typer.Argument(callback=_printable, help="The id, not the token itself")]
TokenScope = Annotated[
    Scope,
    typer.Option(
        help="read: reading and previews; write: also activities, runs, tags and own logins; admin: everything"
    ),
]
Days = Annotated[
    int | None,
    typer.Option(min=1, max=3650, help="After how many days the token ends; default: never"),
]
Contacts = Annotated[int, typer.Option(min=1, max=1_000_000, help="Contacts in the simulated firm")]
RateLimit = Annotated[
    int, typer.Option(min=1, help="Requests per minute that simulated Clio allows each token")
]
Latency = Annotated[float, typer.Option(min=0, max=60, help="Seconds until each response")]
CallbackUrl = Annotated[
    str,
    typer.Option(
        callback=_origin_and_path, help="The service's callback URL, as registered with Clio"
    ),
]
