"""Real servers of the places that a sync can follow, each in this process or beside it."""

import imaplib
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

USER, PASSWORD = "reader", "hunter2-ü"


class FolderPlace:
    """The folder itself, for what every place has to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = str(folder)
        self.account: dict[str, Any] = {}

    def put(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def remove(self, path: str) -> None:
        (self.folder / path).unlink()

    def stop(self) -> None:
        self.folder.rename(self.folder.with_name("unmounted"))


class WebdavPlace(FolderPlace):
    """A WebDAV server over a folder that asks for a password."""

    def __init__(self, folder: Path) -> None:
        from cheroot import wsgi
        from wsgidav.wsgidav_app import WsgiDAVApp

        super().__init__(folder)
        folder.mkdir(exist_ok=True)
        users = {USER: {"password": PASSWORD}}
        app = WsgiDAVApp({
            "provider_mapping": {"/share": str(folder)},
            "simple_dc": {"user_mapping": {"*": users}},
            "logging": {"enable": False}, "verbose": 0,
        })  # fmt: skip
        self._server = wsgi.Server(("127.0.0.1", 0), app, timeout=1)
        self._server.shutdown_timeout = 1
        self._server.prepare()
        threading.Thread(target=self._server.serve, daemon=True).start()
        self.url = f"webdav://127.0.0.1:{self._server.bind_addr[1]}/share"
        self.account = {"user": USER, "password": PASSWORD, "tls": False}

    def stop(self) -> None:
        self._server.stop()


class S3Place:
    """An object store with one bucket."""

    def __init__(self, _folder: Path) -> None:
        import boto3
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        self._client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=USER,
            aws_secret_access_key="hunter2",
        )
        self._bucket = f"reports-{secrets.token_hex(4)}"  # what it holds, a process keeps
        self._client.create_bucket(Bucket=self._bucket)
        self.url = f"s3://{self._bucket}/share"
        self.account = {"user": USER, "password": "hunter2", "endpoint": endpoint}

    def put(self, path: str, text: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=f"share/{path}", Body=text.encode())

    def remove(self, path: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=f"share/{path}")

    def remove_bucket(self) -> None:
        for found in self._client.list_objects_v2(Bucket=self._bucket).get("Contents", ()):
            self._client.delete_object(Bucket=self._bucket, Key=found["Key"])
        self._client.delete_bucket(Bucket=self._bucket)

    def keep_versions(self) -> None:
        kept = {"Status": "Enabled"}
        self._client.put_bucket_versioning(Bucket=self._bucket, VersioningConfiguration=kept)

    def stop(self) -> None:
        self._server.stop()

    def start_again(self) -> None:
        from moto.server import ThreadedMotoServer

        port = int(self.account["endpoint"].rpartition(":")[2])
        self._server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
        self._server.start()


@dataclass
class MailServer:
    """An IMAP server of its own process, with TLS where it has a certificate."""

    port: int
    ca_file: Path | None

    def put(self, subject: str, text: str, folder: str = "INBOX") -> None:
        mail = EmailMessage()
        mail["From"], mail["Subject"] = "a@example.org", subject
        mail["Date"] = "Sun, 29 Nov 2026 14:05:00 +0000"
        mail.set_content(text)
        with self.logged_in() as connection:
            connection.create(folder)
            connection.append(folder, "", None, mail.as_bytes())

    @contextmanager
    def logged_in(self) -> Iterator[imaplib.IMAP4]:
        import ssl

        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as connection:
            if self.ca_file:
                connection.starttls(ssl.create_default_context(cafile=str(self.ca_file)))
            connection.login(USER, "hunter2")
            yield connection

    def do(self, *commands: tuple[str, ...]) -> list[Any]:
        """Send commands to the INBOX; return what the last one answered."""
        with self.logged_in() as connection:
            connection.select("INBOX")
            answers = [getattr(connection, name)(*arguments) for name, *arguments in commands]
        return answers[-1][1]


@contextmanager
def mail_server(folder: Path, *, has_tls: bool) -> Iterator[MailServer]:
    """Run a server with one user and an empty mailbox."""
    import trustme

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ca_file = folder / "ca.pem"
    arguments = ["--no-tls"]
    if has_tls:
        ca = trustme.CA()
        ca.cert_pem.write_to_path(str(ca_file))
        ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            str(folder / "server.pem")
        )
        arguments = ["--cert", str(folder / "server.pem"), "--key", str(folder / "server.pem")]
    where = ["--host", "127.0.0.1", "--port", str(port), *arguments]
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from pymap.main import main; main()", *where),
            *("dict", "--demo-user", USER, "--demo-password", "hunter2"),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield MailServer(port, ca_file if has_tls else None)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server does not come up")
