"""The demonstration: connect three users of a simulated firm, pull it, and show the result.

It uses only the REST API, as Levitate's backend does, and Clio's approval page, as a browser does.
"""

import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from app.demo.front_page import serving_front_page
from app.demo.processes import (
    REGION,
    DemoFailed,
    DemoProcesses,
    Simulated,
    console,
    describe_failure,
    running_processes,
)
from app.demo.scene import ACCOUNT, change_settings, prepare_review, write_activities
from app.simulator.firms.seeded import DEMO_USERS

STATUSES = ("Active Client", "Pending Client", "Past Client")
STATES = {
    "in_scope": "belong in Levitate",
    "out_of_scope": "no longer belong in Levitate",
    "deleted": "deleted in Clio",
}
MOST_SHOWN = 12  # tags and owners
# Why the primary user is the owner, by the code in the owner's detail.
FALLBACKS = {
    "attorney_not_mapped": "because no attorney of the matter is a Levitate user",
    "no_attorney_named": "because no matter names an attorney",
    "no_visible_matter": "because there is no matter",
}


def run(clio: Simulated, *, once: bool, port: int | None) -> None:
    """Run the demonstration, then serve until Ctrl-C, or exit if `once`. Nothing stays behind in any case."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="levitate-clio-demo-") as folder:
        Path(folder).chmod(0o755)  # as root the embedded PostgreSQL runs as another user
        started_at = time.monotonic()
        with running_processes(Path(folder), clio, port=port) as (demo, children):
            try:
                _run_demo(demo, started_at)
                if once:
                    console.print(
                        "Next: run it without --once to call the API; it then prints a token."
                    )
                else:
                    with serving_front_page(demo, demo.page_port) as page:
                        _serve_until_interrupted(demo, children, page)
            except httpx.TransportError as error:
                raise DemoFailed(
                    describe_failure(demo, "lost the connection to the service")
                ) from error


def _run_demo(demo: DemoProcesses, started_at: float) -> None:
    with _api_client(demo) as api:
        users = _create_account(api)
        change_settings(api)
        console.print(f"Connecting {len(users)} users of the firm through Clio's OAuth pages…")
        titles: dict[str, str] = {}
        for clio_user_id, user in users.items():
            _connect(demo, api, ACCOUNT, user["id"], clio_user_id)
            titles |= _follow_run(api, user["name"])
        names = _user_names(api)
        requests = _print_summary(api, names, titles)
        write_activities(api)
        prepare_review(api, partial(_connect, demo, api))
        _print_explanation(api, names)
        seconds = time.monotonic() - started_at
        console.print(f"\nFrom start to here: {seconds:.1f} s, {requests} requests to Clio.")


def _api_client(demo: DemoProcesses) -> httpx.Client:
    headers = {
        "Authorization": f"Bearer {demo.token}",
        "Levitate-User": "u_demo",
        "Levitate-Role": "success_manager",
    }
    return httpx.Client(
        base_url=demo.service,
        headers=headers,
        timeout=30,
        trust_env=False,
        event_hooks={"response": [_raise_for_error]},
    )


def _raise_for_error(response: httpx.Response) -> None:
    if response.is_error:
        response.read()
        raise DemoFailed(f"{response.request.method} {response.url.path}: {response.text}")


def _create_account(api: httpx.Client) -> dict[int, dict[str, Any]]:
    """Create the account and its Levitate users; return those who connect, by Clio id."""
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


def _connect(
    demo: DemoProcesses, api: httpx.Client, account_id: str, user_id: str, clio_user_id: int
) -> None:
    """Follow the redirects as a browser does, and approve on Clio's page."""
    body = {"user_id": user_id, "region": REGION, "return_url": f"{demo.service}/docs"}
    started = api.post(f"/v1/accounts/{account_id}/connections", json=body).json()
    with httpx.Client(trust_env=False, timeout=30) as browser:  # it keeps the cookie of the attempt
        to_clio = browser.get(started["authorize_url"]).headers["location"]
        approved = browser.get(f"{to_clio}&as_user={clio_user_id}")
        back = browser.get(approved.headers["location"])
    if "clio=connected" not in back.headers.get("location", ""):
        raise DemoFailed(f"Connecting {user_id} ended at {back.headers.get('location', back.text)}")


def _follow_run(api: httpx.Client, name: str) -> dict[str, str]:
    """Show the progress of the newest run until it has ended; return its title by its id."""
    columns = (
        TextColumn("  {task.description:<44}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TextColumn("{task.fields[eta]}"),
    )
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task(f"{name}: waiting", total=100, eta="")
        while True:
            run = api.get(f"/v1/accounts/{ACCOUNT}/status").json()["run"]
            progress = run["progress"]
            eta = progress["eta_seconds"]
            title = _run_title(run["kind"], name)
            bars.update(
                bar,
                description=f"{title}: {progress['phase'] or 'queued'}",
                completed=progress["percent"] or 0,
                eta=f"about {eta} s left" if eta else "",
            )
            if run["finished_at"]:
                break
            time.sleep(0.2)
    if run["status"] != "succeeded":
        raise DemoFailed(f"The run ended {run['status']}: {run['problems']}")
    return {run["id"]: title}


def _run_title(kind: str, name: str) -> str:
    """Return in plain words what a run reads after a user has connected."""
    titles = {"initial": f"First pull ({name})", "coverage": f"What {name} can also see"}
    return titles.get(kind, f"{kind} run ({name})")


def _user_names(api: httpx.Client) -> dict[str, str]:
    """Return the names of Levitate's users by id."""
    users = api.get(f"/v1/accounts/{ACCOUNT}/users").json()["users"]
    return {user["id"]: user["name"] for user in users}


def _print_summary(api: httpx.Client, names: dict[str, str], titles: dict[str, str]) -> int:
    """Print the result; return the number of requests to Clio."""
    people = list(_list_all(api, "contacts"))
    tags = Counter(tag["label"] for person in people for tag in person["tags"])
    owners = Counter(
        names.get(person["owner"]["user_id"], "nobody") for person in people if person["owner"]
    )
    states = Counter(person["state"] for person in people)
    statuses = Counter({label: tags[label] for label in STATUSES})
    statuses["without a matter"] = states["in_scope"] - statuses.total()
    runs = list(_list_all(api, "runs"))
    requests: Counter[str] = Counter()
    for run in runs:
        requests[titles.get(run["id"], f"{run['kind']} run")] += run["clio"]["requests"]
    pulled = runs[0]["counts"]["pulled"]
    table = Table(title="Result", show_header=False, title_justify="left")
    table.add_row("pulled", ", ".join(f"{count:,} {kind}" for kind, count in pulled.items()))
    table.add_row("contacts", _counts({STATES[state]: n for state, n in states.items()}))
    table.add_row("by status", _counts(statuses))
    table.add_row("tags", _most_common(tags))
    table.add_row("owners", _most_common(owners))
    table.add_row("new clients", f"{sum(run['counts']['new_clients'] for run in runs):>6,}")
    table.add_row("requests", _counts(requests))
    waited = sum(run["clio"]["waited_seconds"] for run in runs)
    table.add_row("waiting", f"{waited:>6,.0f}  seconds for Clio's rate limit")
    console.print(table)
    return requests.total()


def _counts(counted: Mapping[str, int]) -> str:
    return "\n".join(f"{count:>6,}  {what}" for what, count in counted.items())


def _most_common(counter: Counter[str]) -> str:
    """Return a line for each of the most common words, and how many more words there are."""
    rest = len(counter) - MOST_SHOWN
    shown = _counts(dict(counter.most_common(MOST_SHOWN)))
    return f"{shown}\n        and {rest} more" if rest > 0 else shown


def _list_all(api: httpx.Client, what: str) -> Iterator[dict[str, Any]]:
    """Yield every item of a list, page by page."""
    cursor = None
    while True:
        params = {"limit": "200", **({"cursor": cursor} if cursor else {})}
        page = api.get(f"/v1/accounts/{ACCOUNT}/{what}", params=params).json()
        yield from page["data"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            return


def _print_explanation(api: httpx.Client, names: dict[str, str]) -> None:
    """Print one person with the reasons for tags and owner."""
    active = api.get(
        f"/v1/accounts/{ACCOUNT}/contacts", params={"tag": "Active Client", "limit": "1"}
    ).json()["data"]
    if not active:
        return
    person = active[0]
    why = api.get(f"/v1/accounts/{ACCOUNT}/contacts/{person['id']}/explain").json()
    shown = Table.grid(padding=(0, 2))
    for tag in why["tags"]:
        reasons = "; ".join(grant["detail"] for grant in tag["grants"])
        shown.add_row(Text(tag["label"], style="bold"), Text(reasons))
    keeper = names.get(person["owner"]["user_id"], "nobody")
    reason = _owner_reason(person["owner"])
    shown.add_row()
    shown.add_row(Text("Owner", style="bold"), Text(f"{keeper}, {reason}"))
    for matter in why["owner"]["considered"]:
        about = f"matter with Clio id {matter['matter_clio_id']} ({matter['status']})"
        shown.add_row("", Text(f"{about}: {matter['outcome']}"))
    title = f"Why {person['first_name']} {person['last_name']} has these tags and this owner"
    console.print(Panel(shown, title=title, title_align="left"))


def _owner_reason(owner: dict[str, Any]) -> str:
    """Return in plain words why a contact has its owner."""
    rule, matter = owner["rule"].replace("_", " "), owner["matter_clio_id"]
    if matter is not None:
        return f"the {rule} of the matter with Clio id {matter}"
    code = (owner["detail"] or "").partition(":")[0]
    return FALLBACKS.get(code, f"by the rule {rule}")


def _serve_until_interrupted(
    demo: DemoProcesses, children: list[subprocess.Popen[bytes]], page: str
) -> None:
    """Print where to look, then wait for Ctrl-C."""
    console.print(f"\n[bold]Begin here[/bold]         {page}, to open the console as somebody")
    base = f"{demo.service}/v1/accounts/{ACCOUNT}"
    auth = f'-H "Authorization: Bearer {demo.token}"'
    console.print(f"API documentation  {demo.service}/docs")
    console.print(f"Simulated Clio     {demo.clio}")
    console.print(f"Sandbox            {demo.clio}/sandbox, to make something happen in the firm")
    console.print(f"Token              {demo.token}")
    console.print(
        "\nFor the commands of docs/integrating.md and docs/sandbox.md, in another shell:"
    )
    variables = f"SERVICE={demo.service} CLIO={demo.clio} TOKEN={demo.token}"
    console.print(f"  export {variables}", soft_wrap=True, markup=False)
    console.print("\nTry:")
    for line in (
        f"curl {auth} '{base}/status'",
        f"curl {auth} '{base}/contacts?tag=Active%20Client&limit=2'",
        f"curl {auth} '{base}/changes?limit=2'",
    ):
        console.print(f"  {line}", soft_wrap=True, markup=False)
    console.print("\nPress Ctrl-C to stop everything.")
    while all(child.poll() is None for child in children):
        time.sleep(0.5)
    raise DemoFailed(describe_failure(demo, "lost one of its processes"))
