"""Two PostgreSQL clusters of a test's own, one the other's synchronous standby: stopped, crashed, promoted at will."""

import contextlib
import signal
import subprocess
import time

import psycopg

from releve.storage.embedded import EmbeddedPostgres
from releve.storage.embedded.location import password
from releve.storage.embedded.process import ending_with_parent

PATIENCE_S = 90


class Cluster:
    """One of them, in a copy of one stopped cluster, so that one can follow the other.

    It is run here and not by `EmbeddedPostgres`, whose first statement would wait for the standby.
    """

    def __init__(self, installed, **configuration):
        self._embedded = EmbeddedPostgres(installed, configuration=configuration)
        self._embedded.prepare()
        self._child = None

    @property
    def url(self):
        return self._embedded.url

    @property
    def address(self):
        """Where a standby finds it."""
        secret = password(self._embedded.directory, "postgres")
        return f"host={self._embedded.socket_directory} user=postgres password={secret} application_name=standby"

    def start(self):
        self._embedded.prepare()
        with self._embedded.log_file() as log:
            self._child = subprocess.Popen(
                self._embedded.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._embedded.environment,
                cwd="/",
                start_new_session=True,
                preexec_fn=ending_with_parent(signal.SIGQUIT),  # noqa: PLW1509 - only calls prctl
                **self._embedded.identity,
            )
        self.wait_for("SELECT true")

    def stop(self):
        self._end(signal.SIGINT)

    def crash(self):
        """End it so that it recovers at its next start, as after a kill -9."""
        self._end(signal.SIGQUIT)

    def release(self):
        if self._child is not None:
            self.crash()
        self._embedded.release()

    def follow(self, primary):
        """Be a standby from the next start on."""
        signal_file = self._embedded.cluster / "standby.signal"
        self._embedded.owner.write(signal_file, "")
        self._embedded._configuration |= {
            "primary_conninfo": f"'{primary.address}'",
            "wal_retrieve_retry_interval": "100ms",
        }

    def promote(self):
        self.rows("SELECT pg_promote()")

    def rows(self, query, *values):
        with psycopg.connect(self._embedded.administrator_url, dbname="releve", autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def wait_for(self, query):
        """Wait until the first value of what a query answers is true."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                if self.rows(query)[0][0]:
                    return
            assert time.monotonic() < deadline_s, f"never: {query}"
            time.sleep(0.02)

    def _end(self, number):
        child, self._child = self._child, None
        child.send_signal(number)
        child.wait(PATIENCE_S)
