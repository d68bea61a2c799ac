"""Landing locations that are no local folder: sftp and s3-compatible stores for real, and what is said of them."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import fsspec.config
import paramiko
import pytest
from landing_folder import Landing, csv_text, row
from servers import PASSWORD, USER, s3_store, sftp_server

from dagster_project.landing import address as address_module
from dagster_project.landing.location import open_place
from dagster_project.settings import Settings, without_credentials
from dagster_project.transform.dbt import REPOSITORY
from dagster_project.warehouse.connection import WarehouseError

ONE_BILL = csv_text("bills", [row("bills")])
TWO_BILLS = csv_text("bills", [row("bills"), row("bills", bill_id="BE2")])


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No known hosts, keys or profiles of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(fsspec.config, "conf", fsspec.config.conf)
    fsspec.config.conf.clear()


@pytest.fixture
def sftp(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> Iterator[Landing]:
    """The landing folder behind an sftp server; the password is in fsspec's settings."""
    monkeypatch.setitem(fsspec.config.conf, "sftp", {"password": PASSWORD, "look_for_keys": False})
    (landing.root / "in" / "bills").mkdir(parents=True)
    with sftp_server(landing.root) as (port, _):
        landing.settings = landing.settings.model_copy(
            update={"landing": f"sftp://{USER}@127.0.0.1:{port}/in"}
        )
        landing.root = landing.root / "in"
        yield landing


@pytest.fixture
def s3(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> Iterator[Landing]:
    """A bucket as the landing; the credentials are in the variables of AWS, the server in fsspec's settings."""
    with s3_store() as url:
        for name, value in (
            ("ACCESS_KEY_ID", "AKID"),
            ("SECRET_ACCESS_KEY", "s3cret"),
            ("DEFAULT_REGION", "x"),
        ):
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": url})
        bucket = boto3.resource("s3", endpoint_url=url).create_bucket(
            Bucket="landing", CreateBucketConfiguration={"LocationConstraint": "x"}
        )
        bucket.put_object(Key="in/bills/", Body=b"")  # as a browser of buckets makes folders
        landing.settings = landing.settings.model_copy(update={"landing": "s3://landing/in"})
        landing.bucket = bucket  # type: ignore[attr-defined]
        yield landing


def test_files_behind_sftp(sftp: Landing, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sftp.settings = sftp.settings.model_copy(update={"settle_seconds": 0.1})
    sftp.put("bills/2024/a.csv", ONE_BILL)
    sftp.put("bills/b.csv.gz", ONE_BILL)
    sftp.put("bills/c.csv.filepart", ONE_BILL)
    elsewhere = sftp.root.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "d.csv").write_text(TWO_BILLS, encoding="utf-8")
    (sftp.root / "bills" / "linked").symlink_to(elsewhere)
    (elsewhere / "circle").symlink_to(sftp.root / "bills")
    (sftp.root / "bills" / "e.csv").symlink_to(elsewhere / "d.csv")
    report = sftp.load()
    assert {file.path: file.status for file in report.files} == {
        "bills/2024/a.csv": "loaded",
        "bills/b.csv.gz": "loaded",
        "bills/e.csv": "loaded",
        "bills/linked/d.csv": "copy",
    }
    assert report.rows_added["bills"] == 2
    assert [finding.partition(":")[0] for finding in report.findings] == [
        "bills/c.csv.filepart",
        "bills/linked/circle/",
    ]
    again = sftp.load()
    assert {file.status for file in again.files} == {"unchanged"}
    assert PASSWORD not in caplog.text + repr(sftp.settings)


def test_a_changed_file_behind_sftp_is_read_again(sftp: Landing) -> None:
    path = sftp.put("bills/a.csv", ONE_BILL)
    sftp.load()
    path.write_text(ONE_BILL.replace("BE1", "BE9"), encoding="utf-8")
    os.utime(path, (path.stat().st_mtime + 1,) * 2)  # sftp tells the second: that is what its marks rely on
    assert sftp.load().rows_added["bills"] == 1


def test_a_folder_behind_sftp_that_cannot_be_looked_into_is_told(
    sftp: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    sftp.put("bills/a.csv", ONE_BILL)
    sftp.put("payments/closed/a.csv", "x")
    real = os.scandir

    def scandir(path: object) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", scandir)
    report = sftp.load()
    assert report.findings == ("payments/closed/: cannot be looked into; what lies there is not read",)
    assert report.rows_added["bills"] == 1


def test_a_file_behind_sftp_that_fails_is_refused_alone(
    sftp: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    sftp.put("bills/a.csv", ONE_BILL)
    sftp.put("bills/b.csv", TWO_BILLS)
    real = paramiko.SFTPClient.open

    def broken(self: paramiko.SFTPClient, filename: str, *rest: object, **options: object) -> object:
        if filename.endswith("a.csv"):
            raise paramiko.SSHException("the line is dead")
        return real(self, filename, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(paramiko.SFTPClient, "open", broken)
    (refused,) = sftp.load().refused
    assert (refused.path, refused.refused_reason) == ("bills/a.csv", "cannot be read: SSHException")
    monkeypatch.undo()
    # Settings of fsspec are undone too: the session that the place holds is still open, a new one is not.
    fsspec.config.conf["sftp"] = {"password": PASSWORD, "look_for_keys": False}
    assert sftp.load().refused == []


def why_not(location: str) -> str:
    with pytest.raises(WarehouseError) as error:
        open_place(location)
    text = str(error.value)
    assert "\n" not in text
    assert PASSWORD not in text
    return text


def test_sftp_servers_that_cannot_be_used(sftp: Landing) -> None:
    good = sftp.settings.landing
    assert why_not(f"{good}/none").endswith("/in/none does not exist, or is no folder.")
    (sftp.root / "file").touch()
    assert why_not(f"{good}/file").endswith("/in/file does not exist, or is no folder.")
    assert "Authentication failed" in why_not(good.replace(USER, "somebody"))
    fsspec.config.conf["sftp"]["password"] = "wrong-one"
    text = why_not(good)
    assert "cannot be used: AuthenticationException: Authentication failed" in text
    assert "wrong-one" not in text
    port = good.rpartition(":")[2].partition("/")[0]
    assert "Unable to connect to port 1 on 127.0.0.1" in why_not(good.replace(port, "1"))
    assert "cannot be used: gaierror" in why_not("sftp://no-such-host.invalid/in")


def test_a_password_in_the_address_works_and_is_not_shown(sftp: Landing) -> None:
    fsspec.config.conf.clear()
    sftp.put("bills/a.csv", ONE_BILL)
    with_password = sftp.settings.landing.replace(USER, f"{USER}:{PASSWORD}")
    sftp.settings = sftp.settings.model_copy(update={"landing": with_password})
    assert sftp.load().rows_added["bills"] == 1
    assert PASSWORD not in repr(sftp.settings) + str(sftp.settings) + sftp.settings.landing_shown()
    why_not(with_password + "/none")
    why_not(with_password.replace("@", "@@"))


def test_a_server_with_another_key_than_the_known_one_is_refused(landing: Landing, tmp_path: Path) -> None:
    known = tmp_path / "user" / ".ssh" / "known_hosts"
    known.parent.mkdir(parents=True)
    with sftp_server(landing.root) as (port, key):
        location = f"sftp://{USER}:{PASSWORD}@127.0.0.1:{port}/"
        hosts = paramiko.HostKeys()
        hosts.add(f"[127.0.0.1]:{port}", key.get_name(), key)
        hosts.save(str(known))
        open_place(location)
        hosts.clear()
        hosts.add(f"[127.0.0.1]:{port}", "ssh-rsa", paramiko.RSAKey.generate(2048))
        hosts.save(str(known))
        assert "the server's key is not the one that" in why_not(location)


def test_files_in_a_bucket(s3: Landing, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    # A store shows no half objects: there is nothing to wait for.
    s3.settings = s3.settings.model_copy(update={"settle_seconds": 3000.0})
    bucket = s3.bucket  # type: ignore[attr-defined]
    bucket.put_object(Key="in/bills/2024/a.csv", Body=ONE_BILL.encode())
    bucket.put_object(Key="in/bills/b.csv", Body=b"")
    bucket.put_object(Key="other/bills/c.csv", Body=ONE_BILL.encode())
    report = s3.load()
    assert {file.path: file.status for file in report.files} == {
        "bills/2024/a.csv": "loaded",
        "bills/b.csv": "refused",
    }
    assert report.findings == ()
    assert not s3.load().changed
    # Within the same second, of the same size: its hash tells.
    bucket.put_object(Key="in/bills/2024/a.csv", Body=ONE_BILL.replace("BE1", "BE9").encode())
    assert s3.load().rows_added["bills"] == 1
    assert "s3cret" not in caplog.text + repr(s3.settings)


def test_buckets_that_cannot_be_used(s3: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_not("s3://landing/none").endswith("s3://landing/none does not exist, or is no folder.")
    assert why_not("s3://nobody/in").endswith("s3://nobody/in does not exist, or is no folder.")
    text = why_not("s3://AKID:s3cret@landing/in")
    assert "s3cret" not in text
    assert "AKID" not in text
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": "http://127.0.0.1:1"})
    assert "Could not connect to the endpoint URL" in why_not("s3://landing/in")
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.delenv(f"AWS_{name}")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert "Unable to locate credentials" in why_not("s3://landing/in")


@pytest.mark.parametrize(
    ("protocol", "package", "extra"), [("sftp", "paramiko", "sftp"), ("s3", "s3fs", "s3")]
)
def test_a_missing_extra_is_named(protocol: str, package: str, extra: str) -> None:
    code = (
        "import sys\n"
        f"sys.modules['{package}'] = None\n"
        "from dagster_project.landing.location import open_place\n"
        f"open_place('{protocol}://user:{PASSWORD}@host/in')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.endswith(
        f"The landing location {protocol}://host/in cannot be used: {protocol}:// needs the extra {extra}: "
        f".venv/bin/pip install -e '.[{extra}]'"
    )
    assert PASSWORD not in done.stderr


def test_a_protocol_nobody_knows() -> None:
    assert "cannot be used: " in why_not("nonsense://host/in")


def test_credentials_come_from_the_environment(sftp: Landing) -> None:
    sftp.put("bills/a.csv", ONE_BILL)
    location = sftp.settings.landing.replace(f"{USER}@", "")
    code = (
        "from dagster_project.landing.finder import find_files\n"
        f"print(find_files({location!r}, ['bills']).files['bills'][0].path)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, "FSSPEC_SFTP_USERNAME": USER, "FSSPEC_SFTP_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "bills/a.csv\n", done.stderr


@pytest.mark.parametrize("kind", ["folder", "sftp", "s3", "file"])
def test_a_file_is_put_whole_under_its_name(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    landing: Landing = request.getfixturevalue("landing" if kind in ("folder", "file") else kind)
    location = f"file://{landing.root}" if kind == "file" else landing.settings.landing
    place = open_place(location)
    content = tmp_path / "content"
    for text in ("first", "the second"):
        content.write_text(text, encoding="ascii")
        place.put(content, "bills/cmis/a.csv.gz")
        with place.open("bills/cmis/a.csv.gz") as stream:
            assert stream.read() == text.encode()
        assert place.mark("bills/cmis/a.csv.gz").size == len(text)
    assert list(place.walk()) == ["bills/cmis/a.csv.gz"]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sftp://u:p@h:22/in", "sftp://h:22/in"),
        ("sftp://u:p@ss/w@h/in", "sftp://h/in"),
        ("sftp://u@h/in", "sftp://u@h/in"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
        ("zip://in::sftp://u:p@h/a.zip", "zip://h/a.zip"),
        ("/a/folder:with@signs", "/a/folder:with@signs"),
    ],
)
def test_addresses_are_shown_without_credentials(address: str, shown: str) -> None:
    assert without_credentials(address) == shown
    assert shown in repr(Settings(landing=address))


def test_the_waits_for_a_dead_server_are_short() -> None:
    assert address_module._options("sftp")["timeout"] <= 30
    assert address_module._options("s3")["config_kwargs"]["connect_timeout"] <= 30
