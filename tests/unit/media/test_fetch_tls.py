import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from onprem.errors import FetchFailed, FetchRefused
from onprem.media.fetch import FetchPolicy, fetch
from onprem.media.worker_copy import WorkerCopy
from tests.support.web_source import WebSource, redirects, says, serving

HOST = "files.example"


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _certificate(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(subject), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    authority = subject == issuer
    usage = x509.KeyUsage(True, *[False] * 4, authority, authority, False, False)
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return (
        x509.CertificateBuilder(_name(issuer), _name(subject), key.public_key(), 1 + authority)
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(signer, hashes.SHA256())
    )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A customer's own authority (its PEM file), and a server context with a certificate of it."""
    folder = tmp_path_factory.mktemp("tls")
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("Corp Root", root_key, "Corp Root", root_key)
    leaf = _certificate(HOST, key, "Corp Root", root_key)
    pem = serialization.Encoding.PEM
    (folder / "root.pem").write_bytes(root.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "leaf.pem").write_bytes(leaf.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem")
    return folder / "root.pem", context


async def loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def policy_for(source: WebSource, ca_file: Path | None) -> FetchPolicy:
    return source.policy(resolve=loopback, ca_file=ca_file)


async def attempt(url: str, policy: FetchPolicy) -> int:
    with WorkerCopy.create("test") as copy:
        await fetch(url, copy, policy=policy)
        return copy.size


async def test_a_private_authority_serves_once_it_is_named(
    authority: tuple[Path, ssl.SSLContext],
) -> None:
    ca_file, context = authority
    async with serving(context) as source:
        source.answers["/recording"] = says(b"abc")
        url = source.url("/recording", HOST, "https")
        assert await attempt(url, policy_for(source, ca_file)) == 3


async def test_an_unknown_authority_names_the_setting(
    authority: tuple[Path, ssl.SSLContext],
) -> None:
    async with serving(authority[1]) as source:
        with pytest.raises(FetchFailed, match=r"fetch\.ca_file") as caught:
            await attempt(source.url("/s3cr3t", HOST, "https"), policy_for(source, None))
    assert HOST in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


async def test_a_certificate_for_another_name_is_refused(
    authority: tuple[Path, ssl.SSLContext],
) -> None:
    ca_file, context = authority
    async with serving(context) as source:
        with pytest.raises(FetchFailed, match="certificate is not trusted"):
            url = source.url("/recording", "other.example", "https")
            await attempt(url, policy_for(source, ca_file))


async def test_a_redirect_from_https_to_http_is_refused(
    authority: tuple[Path, ssl.SSLContext],
) -> None:
    ca_file, context = authority
    async with serving(context) as source:
        source.answers["/recording"] = redirects(f"http://{HOST}/recording")
        with pytest.raises(FetchRefused, match="from https to http"):
            url = source.url("/recording", HOST, "https")
            await attempt(url, policy_for(source, ca_file))


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    with pytest.raises(FetchFailed, match=r"fetch\.ca_file cannot be read"):
        await attempt(f"https://{HOST}/", FetchPolicy(ca_file=ca_file))
