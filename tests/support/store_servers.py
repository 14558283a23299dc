"""Redis and PostgreSQL for tests: started on sockets in a folder, killed, hung and emptied."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from redis import Redis

START_SECONDS = 30
READY = "ready to accept connections"
"""A part of the line that both servers log."""


class StoreServer(ABC):
    """A server of its own, whose data and socket are in a temporary folder."""

    program: str
    package: str
    """Debian's name of what installs the program."""
    url: str
    user: str | None = None
    """Who runs the server, if that is not the user of the tests."""

    def __init__(self) -> None:
        # Not below pytest's folder, as the path of a socket may have 107 characters at most.
        self.folder = Path(tempfile.mkdtemp(prefix="corsguard-"))
        self.process: subprocess.Popen[str] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @abstractmethod
    def build_command(self) -> Sequence[str]: ...

    @abstractmethod
    def restart_empty(self) -> None:
        """Stop the server, and start it without data."""

    @abstractmethod
    def empty(self) -> None:
        """Delete all data and settings."""

    def find_program(self, name: str) -> str:
        """Return the path of a program, and fail the test if it is not installed."""
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
        for folder in folders:
            if (folder / name).is_file():
                return str(folder / name)
        return shutil.which(name) or pytest.fail(
            f"{name} is needed: apt install {self.package}", pytrace=False
        )

    def start(self) -> None:
        """Start the server, and return when it accepts connections."""
        assert self.process is None
        self.process = subprocess.Popen(
            self.build_command(),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # so that Ctrl+C ends the tests first
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else (),
        )
        is_ready, lines = Event(), list[str]()
        Thread(target=self._read, args=(self.process, is_ready, lines), daemon=True).start()
        assert is_ready.wait(START_SECONDS), f"not ready after {START_SECONDS} s"
        assert self.process.poll() is None, "".join(lines)

    def _read(self, process: subprocess.Popen[str], is_ready: Event, lines: list[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                lines.append(line)
                if READY in line:
                    is_ready.set()
        process.wait()
        is_ready.set()

    def stop(self) -> None:
        """Kill the server, as a crash does. Its data stay."""
        if self.process is not None:
            self._signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def hang(self) -> None:
        """Stop the server from running, with all its connections open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a server that hangs run again."""
        self._signal(signal.SIGCONT)

    def reset(self) -> None:
        """Make the server run, with no data, whatever a test has done to it."""
        if self.process is None:
            self.start()
        self.resume()
        self.empty()

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)  # first, so that it starts no other
        for pid in list_children(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


class RedisServer(StoreServer):
    """A redis-server that writes all to a file, so that a restart keeps its data."""

    program = "redis-server"
    package = "redis-server"

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.data.mkdir()
        self.options = options
        self.url = f"unix://{self.folder}/redis.sock"

    def build_command(self) -> Sequence[str]:
        options = (
            f"--port 0 --unixsocket {self.folder}/redis.sock --dir {self.data} --appendonly yes"
        )
        return [
            *(self.find_program(self.program), *options.split(), "--save", ""),
            *self.options,
        ]

    def restart_empty(self) -> None:
        self.stop()
        shutil.rmtree(self.data)
        self.data.mkdir()
        self.start()

    def empty(self) -> None:
        with self.connect() as client:
            client.execute_command("FLUSHALL")
            users = [each for each in client.acl_users() if each != "default"]
            if users:
                client.acl_deluser(*users)

    @contextmanager
    def connect(self) -> Iterator[Any]:
        """Connect as one who may do all, with texts as responses."""
        with Redis.from_url(self.url, decode_responses=True) as client:
            yield client


class PostgresServer(StoreServer):
    """A PostgreSQL that does not wait for the disk. Its user `secured` has the password `hush`."""

    program = "postgres"
    package = "postgresql"

    def __init__(self) -> None:
        super().__init__()
        if os.geteuid() == 0:  # as whom PostgreSQL does not run
            self.user = "postgres"
            owner = pwd.getpwnam(self.user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.url = self.build_url("postgres")
        self.run("initdb", f"-D{self.data} -Upostgres --auth=trust --no-sync -EUTF8 --locale=C")
        access = self.data / "pg_hba.conf"
        access.write_text(f"local all secured scram-sha-256\n{access.read_text()}")

    def build_url(self, user: str) -> str:
        return f"postgresql://{user}@/corsguard?host={self.folder}"

    def run(self, name: str, options: str) -> None:
        """Run one of PostgreSQL's programs as the user of the server."""
        subprocess.run(
            [self.find_program(name), *options.split()],
            check=True,
            capture_output=True,
            cwd=self.folder,
            user=self.user,
            group=self.user,
        )

    def build_command(self) -> Sequence[str]:
        settings = {
            "fsync": "off",
            "full_page_writes": "off",
            "listen_addresses": "",
            "max_connections": "200",
            "shared_buffers": "16MB",
            "unix_socket_directories": str(self.folder),
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [self.find_program(self.program), f"-D{self.data}", *options]

    def stop(self) -> None:
        super().stop()
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def restart_empty(self) -> None:
        self.empty()
        self.stop()
        self.start()

    def empty(self) -> None:
        with self.connect("postgres") as connection:
            connection.execute("DROP DATABASE IF EXISTS corsguard WITH (FORCE)")
            connection.execute("DROP ROLE IF EXISTS secured")
            connection.execute("CREATE ROLE secured LOGIN PASSWORD 'hush'")
            connection.execute("CREATE DATABASE corsguard")

    @contextmanager
    def connect(self, database: str = "corsguard") -> Iterator[psycopg.Connection[Any]]:
        """Connect as one who may do all, with each statement committed by itself."""
        with psycopg.connect(
            f"host={self.folder} user=postgres dbname={database}", autocommit=True
        ) as connection:
            yield connection


def _version(folder: Path) -> float:
    return float(folder.parent.name)


def list_children(parent: int) -> list[int]:
    """Return the processes that another has started, as Linux tells."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            _, _, rest = stat.read_text().rpartition(") ")
            if int(rest.split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found
