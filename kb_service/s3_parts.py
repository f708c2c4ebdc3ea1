"""How an object store is opened: as a place that a sync follows, and to keep original files in.

Connects when it is first used. Names and passwords come from the settings or from Amazon's own
environment; never from the address.
"""

from pathlib import Path
from urllib.parse import urlsplit

from kb_service.domain.errors import ConfigurationError
from kb_service.domain.extras import install_command
from kb_service.settings import BlobSettings, SourceAccount
from kb_service.sources.remote import Opened, told
from kb_service.storage.blobs import BlobStore
from kb_service.storage.object_blobs import CopyLimits, ObjectBlobs, ObjectStore


def open_blobs(settings: BlobSettings, data_dir: Path) -> BlobStore:
    """Return where original files are kept: the data folder, or the object store of the settings.

    Raises ConfigurationError (extra_missing). Connects later.
    """
    if not settings.url:
        return BlobStore(data_dir / "blobs")
    account = SourceAccount(
        user=settings.user,
        password=settings.password,
        endpoint=settings.endpoint,
        ca_file=settings.ca_file,
    )
    opened = open_s3(account, settings.timeout_s)
    opened.filesystem.retries = 1  # what is tried again there begins where a body ended
    address = urlsplit(settings.url)
    hidden = (*opened.secrets, settings.user)
    store = ObjectStore(
        opened.filesystem,
        address.netloc,
        address.path.strip("/"),
        opened.failures,
        lambda error: told(error, hidden),
    )
    limits = CopyLimits(settings.copies_s, settings.copies_bytes)
    return ObjectBlobs(store, data_dir / "fetched", limits)


def open_s3(account: SourceAccount, timeout_s: float) -> Opened:
    """Return the file system of an object store. Raises ConfigurationError (extra_missing)."""
    try:
        import aiohttp
        import s3fs
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise lacking("s3://", error) from error
    secret = account.password.get_secret_value()
    options = {"endpoint_url": account.endpoint or None, "verify": account.ca_file or None}
    filesystem = s3fs.S3FileSystem(
        key=account.user or None,
        secret=secret or None,
        client_kwargs={name: value for name, value in options.items() if value},
        config_kwargs={
            "connect_timeout": timeout_s,
            "read_timeout": timeout_s,
            "retries": {"max_attempts": 2},
        },
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    failures = (OSError, BotoCoreError, ClientError, aiohttp.ClientError)
    return Opened(filesystem, failures, (secret,))


def lacking(what: str, error: ImportError) -> ConfigurationError:
    """Return the error for a place whose library is not installed."""
    return ConfigurationError(
        f"{what} needs the extra `sources` ({error.name} is not installed): "
        f"{install_command('sources')}",
        code="extra_missing",
    )
