"""The `levitate-clio keys` commands: the keys that encrypt the stored secrets."""

import typer

from app.cli.startup import (
    ask_database,
    complete,
    database,
    fail,
    fit_to_work,
    read_config,
    said,
    with_keys,
)
from app.crypto import TokenCipher
from app.db.session import Database
from app.sync import key_rotation
from app.sync.key_rotation import RotationResult

keys_cli = typer.Typer(no_args_is_help=True, help="The keys that encrypt the stored secrets.")


@keys_cli.command("rotate")
def keys_rotate() -> None:
    """Encrypt every stored secret again with the newest key. The service may run meanwhile."""
    config = with_keys(read_config())

    async def rotate(opened: Database) -> RotationResult:
        await fit_to_work(opened, config)
        return await key_rotation.rotate_keys(opened, TokenCipher(config.encryption_key_list()))

    with database(config) as dsn:
        done = complete(ask_database(dsn, rotate))
    said.print(
        f"{done.renewed} secrets were encrypted with the newest key; {done.current} already were."
    )
    if done.lost:
        fail(
            f"{done.lost} secrets cannot be decrypted with these keys; their users must connect again"
        )
