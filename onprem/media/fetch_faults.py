"""What went wrong on the network, in words that hold nothing of the URL but its host."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpcore

from onprem.errors import FetchFailed, FetchRefused
from onprem.media.guarded_transport import DestinationDenied
from onprem.media.pace import TooSlow

E = TypeVar("E", bound=BaseException)


@contextmanager
def explained(host: str, total_seconds: float) -> Iterator[None]:
    """Turn the faults of a request to `host` into errors of the product.

    Their causes are cut off (`from None`): a repr of one may hold the whole URL.

    Raises:
        FetchRefused: the guard did not connect.
        FetchFailed: anything else that the network or the source did.
    """
    try:
        yield
    except DestinationDenied as denied:
        raise FetchRefused(destination=denied.host, why=denied.why) from None
    except TimeoutError:
        raise FetchFailed(host=host, why=f"it took longer than {total_seconds:g} s") from None
    except TooSlow:
        raise FetchFailed(host=host, why="it sends too slowly") from None
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise FetchFailed(host=host, why=_reason(error)) from None


def _reason(error: Exception) -> str:
    certificate = cause_of(error, ssl.SSLCertVerificationError)
    if certificate is not None:
        return (
            f"its certificate is not trusted: {certificate.verify_message}; an operator can name "
            "the authority's certificate in fetch.ca_file"
        )
    match error:
        case httpcore.ConnectTimeout():
            return "it did not accept a connection in time"
        case httpcore.TimeoutException():
            return "it stopped sending"
        case httpcore.ConnectError():
            return "no connection: the name does not resolve, or nobody answers there"
        case httpcore.ProtocolError():
            return "it broke off, or did not speak HTTP"
        case _:
            return "the connection broke"


def cause_of(error: BaseException, kind: type[E]) -> E | None:
    """The error itself, or the nearest of its causes, that is a `kind`."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, kind):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
