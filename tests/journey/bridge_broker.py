"""A real Mosquitto with client certificates, and `releve bridge` as an operator starts it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

MOSQUITTO = "/usr/sbin/mosquitto"
RELEVE = (sys.executable, "-m", "releve")
WITHIN_S = 60


class Mosquitto:
    """A broker that takes clients with a certificate of its authority only, and keeps sessions over restarts."""

    def __init__(self, folder):
        self.folder = folder
        self.port = _free_port()
        make_certificates(folder)
        (folder / "mosquitto.conf").write_text(
            f"user {'root' if os.geteuid() == 0 else 'nobody'}\nlistener {self.port} 127.0.0.1\n"
            f"cafile {folder}/ca.crt\ncertfile {folder}/server.crt\nkeyfile {folder}/server.key\n"
            "require_certificate true\nuse_identity_as_username true\nallow_anonymous true\n"
            f"persistence true\npersistence_location {folder}/\nautosave_interval 3600\nmax_queued_messages 0\n"
        )
        self.process = None
        self.start()

    def listen(self, *options):
        """One more plain listener, with settings of its own; its port."""
        self.end()
        port = _free_port()
        lines = (f"listener {port} 127.0.0.1", *options)
        with (self.folder / "mosquitto.conf").open("a") as configuration:
            configuration.writelines(f"{line}\n" for line in lines)
        self.start()
        return port

    def start(self):
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([MOSQUITTO, "-c", str(self.folder / "mosquitto.conf")], stderr=log)
        until(self._listens, "Mosquitto does not listen")

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(20)

    def restart(self):
        """End it so that it writes down what it holds, and start it again."""
        self.end()
        self.start()

    def write_copy(self):
        """Have it write down what it holds, without stopping it."""
        copy = self.folder / "mosquitto.db"
        copy.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        until(copy.exists, "Mosquitto writes no copy")

    def publish(self, messages):
        """Publish at QoS 1, in order; every message is the broker's when this returns."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.tls_set(f"{self.folder}/ca.crt", f"{self.folder}/client.crt", f"{self.folder}/client.key")
        client.max_inflight_messages = 1000
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        for sent in [client.publish(topic, payload, qos=1) for topic, payload in messages]:
            sent.wait_for_publish(WITHIN_S)
            assert sent.is_published()
        client.disconnect()
        client.loop_stop()

    def _listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


class BridgeProcess:
    """`releve bridge` as an operator starts it."""

    def __init__(self, server, config, log):
        self._server = server
        self._config = config
        self._log = log
        self.process = None

    def start(self):
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [*RELEVE, "bridge", "--config", str(self._config), "--data-dir", str(self._server.data_dir)],
                stderr=log,
                env={name: value for name, value in os.environ.items() if not name.startswith(("RELEVE_", "DATABASE"))},
            )
        until(lambda: self.has_said("bridge is connected"), "the bridge does not connect", self)
        return self

    def has_said(self, text):
        assert self.process.poll() is None, self._log.read_text()
        return text in self._log.read_text()

    def said(self):
        return self._log.read_text()

    def end(self, number=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(30)


def until(condition, complaint, bridge=None):
    deadline_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline_s, f"{complaint}: {bridge.said()[-3000:] if bridge else ''}"
        time.sleep(0.05)


def make_certificates(folder):
    """An authority, a certificate for the broker and one for its clients."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S607

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        "req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test authority"
    )
    for name, extra in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth")):
        openssl("req", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(extra)
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", f"{name}.crt", "-days", "2", "-extfile", f"{name}.ext",
        )  # fmt: skip


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
