import ssl
from pathlib import Path

import pytest

from onprem.errors import FetchFailed, FetchRefused
from onprem.media.fetch import FetchPolicy, fetch
from onprem.media.worker_copy import WorkerCopy
from tests.support.authority import HOST, new_authority
from tests.support.web_source import WebSource, redirects, says, serving


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return new_authority(tmp_path_factory.mktemp("tls"))


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
