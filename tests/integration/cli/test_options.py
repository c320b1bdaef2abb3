"""Options and arguments of the commands: a wrong one is one clear line with exit code 2, and nothing is done."""

import socket
from pathlib import Path

import pytest

from tests.support.commands import refusal, run, run_process

LEAST, MOST = "it should be greater than or equal to ", "it should be less than or equal to "
HOST = "Invalid value for '--host': it should be an address or a host name such as 127.0.0.1"
PORT = "Invalid value for '--port': it should be less than or equal to "
HINT = "`levitate-clio --help` lists the commands, and `--help` after a command its options"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["simulator", "--port=99999"], PORT + "65532"),
        (["simulator", "--port=65533"], PORT + "65532"),
        (["simulator", "--port=0"], f"Invalid value for '--port': {LEAST}1"),
        (["serve", "--port=99999"], PORT + "65535"),
        (["demo", "--port=99999"], PORT + "65535"),
        (["demo", "--contacts=0"], f"Invalid value for '--contacts': {LEAST}1"),
        (["simulator", "--contacts=-1"], f"Invalid value for '--contacts': {LEAST}1"),
        (["simulator", "--contacts=10000000"], f"Invalid value for '--contacts': {MOST}1000000"),
        (["simulator", "--rate-limit=0"], f"Invalid value for '--rate-limit': {LEAST}1"),
        (["simulator", "--latency=-1"], f"Invalid value for '--latency': {LEAST}0"),
        (["simulator", "--latency=nan"], f"Invalid value for '--latency': {MOST}60"),
        (["simulator", "--seed=x"],
         "Invalid value for '--seed': it should be a valid integer, unable to parse string as an integer"),
        (["simulator", "--redirect-uri=callback"],
         "Invalid value for '--redirect-uri': it should be a URL such as http://127.0.0.1:8000/oauth/clio/callback"),
        (["serve", "--host="], HOST),
        (["worker", "--host=a b"], HOST),
        *((["token", "create", "--name=n", f"--account={account}"],
           "Invalid value for '--account': it should be 1 to 64 letters, digits, '.', '_' or '-', with a letter or"
           " digit first") for account in ("a b", "", ".a", "a" * 65, "é", "a\n")),
        *((["token", "create", f"--name={name}"],
           "Invalid value for '--name': it should have 1 to 200 printable characters")
          for name in ("", " ", "a\nb", "\udcff", "a" * 201)),
        (["token", "revoke", "\udcff"], "Invalid value for 'token_id': it should have 1 to 200 printable characters"),
        (["token", "create"], f"Missing option '--name'; {HINT}"),
        (["token", "revoke"], f"Missing argument 'token_id'; {HINT}"),
        (["serve", "--prot=1"], None),
        (["serve", "now"], f"Got unexpected extra argument(s) (now); {HINT}"),
        (["keys", "turn"], f"No such command 'turn'; {HINT}"),
        (["start"], f"No such command 'start'; {HINT}"),
    ],
    ids=lambda given: " ".join(given)[:40].encode("ascii", "replace").decode() if isinstance(given, list) else "",
)  # fmt: skip
def test_a_wrong_option_is_one_line_with_exit_code_2(command: list[str], line: str | None):
    found = refusal(*command)
    assert len(found) == 1
    assert line is None or found == [line]


def test_a_process_reports_a_wrong_option_in_the_same_way():
    ended = run_process("simulator", "--port", "99999")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [PORT + "65532"]


def test_help_lists_the_commands():
    assert run("--help").returncode == 0
    without = run("token")
    assert without.returncode == 2
    assert "revoke" in without.stdout + without.stderr


@pytest.mark.parametrize("nth", range(4))
def test_a_busy_port_of_the_simulator_is_reported_in_one_line(nth: int):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        (line,) = refusal("simulator", f"--port={busy - nth}")
    assert line.startswith("Cannot listen on 127.0.0.1:")
    assert line.endswith("(Address already in use); choose another port with --port")


def test_a_worker_whose_port_is_busy_names_the_variable(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        (line,) = refusal("worker", worker_port=port, data_dir=str(tmp_path))
    assert line.endswith(
        "(Address already in use); choose another port with LEVITATE_CLIO_WORKER_PORT"
    )
