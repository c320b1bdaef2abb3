"""Programs that a test needs and the machine lacks, from Debian's packages. Nothing is installed."""

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

LIBRARIES = "usr/lib/*-linux-gnu"


def unpack(package: str, folder: Path) -> Mapping[str, str]:
    """Unpack the package, and what it needs and the machine lacks, into the folder; return its environment."""
    assert shutil.which("apt-get"), f"install {package}: this machine has no Debian packages"
    archives = folder / "archives"
    (archives / "partial").mkdir(parents=True)
    download = [
        *("apt-get", "install", "--download-only", "--yes", "--no-install-recommends", package),
        *("-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1"),
    ]
    with (Path(tempfile.gettempdir()) / "lc-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of the test processes, one downloads at a time
        if subprocess.run(download, capture_output=True, check=False).returncode:
            subprocess.run(["apt-get", "update"], capture_output=True, check=True)
            subprocess.run(download, capture_output=True, check=True)
    for archive in archives.glob("*.deb"):
        subprocess.run(["dpkg", "-x", archive, folder], capture_output=True, check=True)
    return {"LD_LIBRARY_PATH": ":".join(str(found) for found in folder.glob(LIBRARIES))}
