"""The service reads firms whose records are made at random from Clio's OpenAPI document, nulls everywhere but in ids.

`SCHEMA_FIRMS` says how many firms are read, one after another by the same account: 2 by default, `make nightly` 100.
"""

import json
import os
import random
import re
from collections.abc import Callable

from tests.support import schema_data
from tests.support.world import World

FIRMS = int(os.environ.get("SCHEMA_FIRMS", "2"))  # noqa: TID251  # size of a test, not configuration
RECORDS = 150
LIST = re.compile(
    r"/api/v4/(contacts|matters|relationships|users|custom_fields|practice_areas|matter_stages)\.json"
)


def firm(seed: int) -> Callable[[str, bytes], bytes]:
    """Return an edit that answers each list with records of its own."""
    dice = random.Random(seed)  # noqa: S311
    bodies: dict[str, bytes] = {}

    def edit(path: str, body: bytes) -> bytes:
        if not LIST.fullmatch(path):
            return body
        if path not in bodies:
            data = [schema_data.record(path, nth, dice) for nth in range(1, RECORDS + 1)]
            document = {"data": data, "meta": {"paging": {}, "records": RECORDS}}
            bodies[path] = json.dumps(document).encode()
        return bodies[path]

    return edit


async def test_every_firm_that_the_document_allows_is_read(world: World):
    # F16, row 49
    world.clio_transport.edit = firm(0)
    await world.create_account()
    await world.connect("u_ann", 501)
    (run,) = await world.settled()
    assert (run["status"], run["problems"]) == ("succeeded", [])
    for seed in range(1, FIRMS):
        world.clio_transport.edit = firm(seed)
        run = await world.run("full")
        assert (run["status"], run["problems"]) == ("succeeded", []), seed
        assert run["counts"]["quarantined"] == 0
        assert run["counts"]["pulled"]["contacts"] == RECORDS
        issues = [issue async for issue in world.all("issues", status="open")]
        fields = {i["subject"]["id"] for i in issues if i["code"] == "value_unreadable"}
        assert fields <= {"matters.status"}, "only a null that means nothing is reported"
    assert len(await world.contacts()) > RECORDS / 10
    assert await world.changes()
