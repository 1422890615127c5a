"""What the desk keeps in var/secrets: session key, metrics token, self-made TLS certificate. Mode 0600, made once."""

from __future__ import annotations

import secrets
import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from callcenter.config import Settings
from callcenter.errors import ConfigError
from callcenter.node.files import replace_file

CERTIFICATE_DAYS = 825
"""Browsers refuse leaf certificates valid for longer."""
RENEW_BEFORE_DAYS = 30


def secrets_dir(settings: Settings) -> Path:
    """The folder of secrets, made with mode 0700."""
    folder = settings.var_dir / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def made_once(path: Path, content: bytes) -> bytes:
    """What `path` holds, or `content` written to it when there is no such file."""
    if path.exists():
        return path.read_bytes().strip()
    replace_file(path, content, sync=True)
    return content


def session_key(settings: Settings) -> Fernet:
    """Key of the encrypted session cookie; a new one logs everybody out."""
    return Fernet(made_once(secrets_dir(settings) / "session", Fernet.generate_key()))


def metrics_token(settings: Settings) -> str:
    """Bearer token of /metrics for a collector on another machine."""
    return made_once(secrets_dir(settings) / "metrics", secrets.token_urlsafe(32).encode()).decode()


def _expires_soon(path: Path) -> bool:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.not_valid_after_utc < datetime.now(UTC) + timedelta(days=RENEW_BEFORE_DAYS)


def make_certificate(certificate: Path, key: Path, hosts: set[str]) -> None:
    """Make a self-signed certificate for `hosts` (names and addresses) and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "callcenter desk")])
    alternatives: list[x509.GeneralName] = []
    for host in sorted(hosts):
        try:
            alternatives.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            alternatives.append(x509.DNSName(host))
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    replace_file(
        key,
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        sync=True,
    )
    replace_file(certificate, built.public_bytes(serialization.Encoding.PEM), sync=True)


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The server's TLS context, or None with `desk.tls = "off"`. Raises ConfigError for a certificate that fails."""
    desk = settings.desk
    if desk.tls == "off":
        return None
    if desk.tls == "given":
        if desk.certificate is None or desk.private_key is None:
            raise ConfigError(
                "web.tls_missing",
                'desk.tls = "given" needs a certificate and its key',
                where="desk.certificate, desk.private_key",
                mend='name both PEM files, or set desk.tls = "self-made"',
            )
        certificate, key = desk.certificate, desk.private_key
    else:
        folder = secrets_dir(settings)
        certificate, key = folder / "tls.crt", folder / "tls.key"
        if not (certificate.exists() and key.exists()) or _expires_soon(certificate):
            hosts = {"localhost", "127.0.0.1", str(desk.bind_host), socket.gethostname().lower() or "localhost"}
            make_certificate(certificate, key, hosts)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            "web.tls_unreadable",
            f"the TLS certificate cannot be used: {error}",
            where=f"{certificate}, {key}",
            mend="give a PEM certificate chain and the key that belongs to it",
        ) from error
    return context
