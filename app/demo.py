"""The whole, shown to a newcomer: the simulator and the service as two real processes, a firm connected and pulled.

Drives the service through its REST API alone, as Levitate's backend would, and Clio's approval as a browser would.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from app.simulator.seeded import DEMO_USERS
from app.simulator.server import credentials

ACCOUNT = "demo"
REGION = "us"
LATENCY = 0.15  # seconds that the simulated Clio takes to answer, as the real one does
START_SECONDS = 60
show = Console(highlight=False)


class DemoFailed(Exception):
    """The demonstration cannot go on; the text says why and what to do."""


@dataclass(frozen=True)
class Stage:
    """Where the two processes listen and how to speak to the service."""

    service: str
    clio: str
    token: str
    folder: Path


def run(*, once: bool, contacts: int, port: int | None) -> None:
    """Show the whole, then go on serving until Ctrl-C (or end at once)."""
    with tempfile.TemporaryDirectory(prefix="levitate-clio-demo-") as folder:
        Path(folder).chmod(0o755)  # as root the embedded PostgreSQL runs as a user of its own
        stage = _stage(Path(folder), port)
        began = time.monotonic()
        with (
            _process("simulator", _simulator_args(stage, contacts), {}, stage) as clio,
            _process("serve", _serve_args(stage), _environment(stage), stage) as service,
        ):
            _wait_until_up(stage, [clio, service])
            _show(stage, began)
            if not once:
                _go_on(stage, [clio, service])


def _stage(folder: Path, port: int | None) -> Stage:
    base = _free_ports(4)
    service_port = port or _free_ports(1)
    return Stage(
        service=f"http://127.0.0.1:{service_port}",
        clio=f"http://127.0.0.1:{base}",
        token=secrets.token_urlsafe(24),
        folder=folder,
    )


def _free_ports(count: int) -> int:
    """The first of `count` neighbouring ports that are free now."""
    for _ in range(100):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        if first + count < 65536 and all(_is_free(first + nth) for nth in range(count)):
            return first
    raise DemoFailed("No free ports were found on 127.0.0.1")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _simulator_args(stage: Stage, contacts: int) -> list[str]:
    return [
        f"--port={stage.clio.rsplit(':', 1)[1]}",
        f"--contacts={contacts}",
        f"--latency={LATENCY}",
        f"--redirect-uri={stage.service}/oauth/clio/callback",
    ]


def _serve_args(stage: Stage) -> list[str]:
    return [f"--port={stage.service.rsplit(':', 1)[1]}"]


def _environment(stage: Stage) -> Mapping[str, str]:
    client_id, client_secret = credentials(REGION)
    return {
        "LEVITATE_CLIO_DATA_DIR": str(stage.folder / "data"),
        "LEVITATE_CLIO_PUBLIC_URL": stage.service,
        "LEVITATE_CLIO_RETURN_ORIGINS": stage.service,
        "LEVITATE_CLIO_REGIONS__US__CLIENT_ID": client_id,
        "LEVITATE_CLIO_REGIONS__US__CLIENT_SECRET": client_secret,
        "LEVITATE_CLIO_REGIONS__US__ORIGIN": stage.clio,
        "LEVITATE_CLIO_SERVICE_TOKEN": stage.token,
    }


@contextlib.contextmanager
def _process(
    command: str, args: list[str], environment: Mapping[str, str], stage: Stage
) -> Iterator[subprocess.Popen[bytes]]:
    """One of our own commands beside us, ended with the block; a session of its own keeps Ctrl-C from it."""
    log = stage.folder / f"{command}.log"
    # A child's environment, not configuration of this process.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LEVITATE_CLIO_")}  # noqa: TID251
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603  # our own program with our own arguments
            [sys.executable, "-m", "app.cli", command, *args],
            env={**kept, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(timeout=30)
            except subprocess.TimeoutExpired:
                child.kill()


def _wait_until_up(stage: Stage, children: list[subprocess.Popen[bytes]]) -> None:
    show.print("Starting PostgreSQL, the service and a simulated Clio…")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for child in children:
            if child.poll() is not None:
                raise DemoFailed(_last_words(stage))
        with contextlib.suppress(httpx.TransportError):
            httpx.get(stage.clio, trust_env=False)
            if httpx.get(f"{stage.service}/readyz", trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise DemoFailed(_last_words(stage))


def _last_words(stage: Stage) -> str:
    """What the processes said last, before their folder goes."""
    logs = sorted(stage.folder.glob("*.log"))
    said = "\n".join(
        f"{log.stem}: {log.read_text(errors='replace')[-1500:].strip()}" for log in logs
    )
    return f"The demonstration could not start.\n{said}"


def _show(stage: Stage, began: float) -> None:
    with _api(stage) as api:
        users = _create_account(api)
        show.print(f"Connecting {len(users)} users of the firm through Clio's OAuth pages…")
        for clio_user_id, user in users.items():
            _connect(stage, api, user["id"], clio_user_id)
            _follow_runs(api, user["name"])
        requests = _summary(api)
        _one_person(api)
        seconds = time.monotonic() - began
        show.print(f"\nFrom nothing to here: {seconds:.1f} s, {requests} requests to Clio.")


def _api(stage: Stage) -> httpx.Client:
    headers = {
        "Authorization": f"Bearer {stage.token}",
        "Levitate-User": "u_demo",
        "Levitate-Role": "success_manager",
    }
    return httpx.Client(
        base_url=stage.service,
        headers=headers,
        timeout=30,
        trust_env=False,
        event_hooks={"response": [_checked]},
    )


def _checked(response: httpx.Response) -> None:
    if response.is_error:
        response.read()
        raise DemoFailed(f"{response.request.method} {response.url.path}: {response.text}")


def _create_account(api: httpx.Client) -> dict[int, dict[str, Any]]:
    """An account and its Levitate users, of whom three connect; by Clio's id of each."""
    body = {
        "name": "Seeded & Simulated LLP",
        "time_zone": "America/New_York",
        "country": "US",
        "primary_user_id": "u_office",
        "enabled": True,
    }
    api.put(f"/v1/accounts/{ACCOUNT}", json=body)
    office = {"id": "u_office", "name": "Front Office", "email": "office@firm.test", "active": True}
    users = {
        clio_id: {"id": f"u_{clio_id}", "name": name, "email": email, "active": True}
        for clio_id, (name, email) in DEMO_USERS.items()
    }
    api.put(f"/v1/accounts/{ACCOUNT}/users", json={"users": [office, *users.values()]})
    return users


def _connect(stage: Stage, api: httpx.Client, user_id: str, clio_user_id: int) -> None:
    """Walk the redirects as a browser would, approving on Clio's page."""
    body = {"user_id": user_id, "region": REGION, "return_url": f"{stage.service}/docs"}
    started = api.post(f"/v1/accounts/{ACCOUNT}/connections", json=body).json()
    approved = httpx.get(
        f"{started['authorize_url']}&as_user={clio_user_id}", trust_env=False, timeout=30
    )
    back = httpx.get(approved.headers["location"], trust_env=False, timeout=30)
    if "clio=connected" not in back.headers.get("location", ""):
        raise DemoFailed(f"Connecting {user_id} ended at {back.headers.get('location', back.text)}")


def _follow_runs(api: httpx.Client, name: str) -> None:
    """Show a bar for the newest run until all runs have ended."""
    columns = (
        TextColumn("  {task.description:<44}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TextColumn("{task.fields[eta]}"),
    )
    with Progress(*columns, console=show) as bars:
        bar = bars.add_task(f"{name}: waiting", total=100, eta="")
        while True:
            run = api.get(f"/v1/accounts/{ACCOUNT}/status").json()["run"]
            progress = run["progress"]
            eta = progress["eta_seconds"]
            bars.update(
                bar,
                description=f"{name}: {run['kind']} run, {progress['phase'] or 'queued'}",
                completed=progress["percent"] or 0,
                eta=f"about {eta} s left" if eta else "",
            )
            if run["finished_at"]:
                break
            time.sleep(0.2)
    if run["status"] != "succeeded":
        raise DemoFailed(f"The run ended {run['status']}: {run['problems']}")


def _summary(api: httpx.Client) -> int:
    """Print what was found; answers how many requests to Clio it took."""
    people = list(_all(api, "contacts"))
    names = {
        user["id"]: user["name"]
        for user in api.get(f"/v1/accounts/{ACCOUNT}/users").json()["users"]
    }
    tags = Counter(tag["label"] for person in people for tag in person["tags"])
    owners = Counter(
        names.get(person["owner"]["user_id"], "nobody") for person in people if person["owner"]
    )
    states = Counter(person["state"] for person in people)
    runs = list(_all(api, "runs"))
    requests: int = sum(run["clio"]["requests"] for run in runs)
    pulled = runs[0]["counts"]["pulled"]
    table = Table(title="What was found", show_header=False, title_justify="left")
    table.add_row("pulled", ", ".join(f"{count:,} {kind}" for kind, count in pulled.items()))
    table.add_row("contacts", ", ".join(f"{count:,} {state}" for state, count in states.items()))
    for title, counter in (("tags", tags), ("owners", owners)):
        table.add_row(title, "\n".join(f"{n:>6,}  {word}" for word, n in counter.most_common(12)))
    table.add_row("new clients", f"{sum(run['counts']['new_clients'] for run in runs):,}")
    table.add_row(
        "runs", "\n".join(f"{run['kind']}: {run['clio']['requests']} requests" for run in runs)
    )
    show.print(table)
    return requests


def _all(api: httpx.Client, what: str) -> Iterator[dict[str, Any]]:
    """Every item of a list, page by page."""
    cursor = None
    while True:
        params = {"limit": "200", **({"cursor": cursor} if cursor else {})}
        page = api.get(f"/v1/accounts/{ACCOUNT}/{what}", params=params).json()
        yield from page["data"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            return


def _one_person(api: httpx.Client) -> None:
    """Print one person with the reasons for tags and owner."""
    active = api.get(
        f"/v1/accounts/{ACCOUNT}/contacts", params={"tag": "Active Client", "limit": "1"}
    ).json()["data"]
    if not active:
        return
    person = active[0]
    why = api.get(f"/v1/accounts/{ACCOUNT}/contacts/{person['id']}/explain").json()
    lines = [
        f"[bold]{tag['label']}[/]  {'; '.join(g['detail'] for g in tag['grants'])}"
        for tag in why["tags"]
    ]
    owner = person["owner"]
    lines.append(f"\n[bold]Owner {owner['user_id']}[/]  by {owner['rule']}")
    lines += [
        f"  matter {matter['matter_clio_id']} ({matter['status']}): {matter['outcome']}"
        for matter in why["owner"]["considered"]
    ]
    title = f"Why is {person['first_name']} {person['last_name']} what they are?"
    show.print(Panel("\n".join(lines), title=title, title_align="left"))


def _go_on(stage: Stage, children: list[subprocess.Popen[bytes]]) -> None:
    """Say where to look, then wait for Ctrl-C."""
    base = f"{stage.service}/v1/accounts/{ACCOUNT}"
    auth = f'-H "Authorization: Bearer {stage.token}"'
    show.print(f"\nThe API's page   {stage.service}/docs")
    show.print(f"Simulated Clio   {stage.clio}")
    show.print(f"Token            {stage.token}\n\nTry:")
    for line in (
        f"curl {auth} '{base}/status'",
        f"curl {auth} '{base}/contacts?tag=Active%20Client&limit=2'",
        f"curl {auth} '{base}/changes?limit=2'",
    ):
        show.print(f"  {line}", soft_wrap=True, markup=False)
    show.print("\nCtrl-C ends everything.")
    with contextlib.suppress(KeyboardInterrupt):
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
        raise DemoFailed(_last_words(stage))
    show.print("Ending…")
