"""The `levitate-clio keys` commands: the keys that encrypt the stored secrets."""

import typer

from app.cli.database import check_database, run_async, running_database, with_open_database
from app.cli.startup import add_keys, fail, read_config, stderr
from app.crypto import TokenCipher
from app.db.session import Database
from app.main import now
from app.sync import key_rotation
from app.sync.key_rotation import RotationResult

keys_cli = typer.Typer(no_args_is_help=True, help="The keys that encrypt the stored secrets.")


@keys_cli.command("rotate")
def keys_rotate() -> None:
    """Encrypt every stored secret again with the newest key. The service may run meanwhile."""
    config = add_keys(read_config())

    async def rotate(database: Database) -> RotationResult:
        await check_database(database, config)
        cipher = TokenCipher(config.encryption_key_list())
        return await key_rotation.rotate_keys(database, cipher, now=now())

    with running_database(config) as address:
        done = run_async(with_open_database(address, rotate))
    stderr.print(
        f"{done.renewed} secrets were encrypted with the newest key; {done.current} already were."
    )
    if done.lost:
        fail(
            f"{done.lost} secrets cannot be decrypted with these keys, or are not in their place; their users must"
            " connect again"
        )
