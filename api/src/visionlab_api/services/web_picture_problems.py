"""What is answered where no picture comes from the web. The sentences are the same whatever is in the operator's own network."""

from __future__ import annotations

from http import HTTPStatus

from visionlab_api.problems import ProblemError


def not_a_picture() -> ProblemError:
    """415: something else is at the address, often the page around the picture."""
    detail = (
        "What is at this address is not a JPEG or PNG image; perhaps it is the page that shows one. Open the picture by itself "
        "and copy its address, or save it and choose the file."
    )
    return ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not-an-image", "Not an image", detail, field="url")


def fetching_off() -> ProblemError:
    """403: the operator did not turn it on."""
    detail = "This server fetches no pictures from the web. Save the picture, and upload the file."
    return ProblemError(HTTPStatus.FORBIDDEN, "fetching-off", "Not fetched from the web", detail)


def invalid_address(detail: str) -> ProblemError:
    """422: no picture can be asked for by this address."""
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field="url")


def not_public() -> ProblemError:
    """400: one text for all that is not reached, whatever is there, or not."""
    detail = (
        "This address does not lead to the public web, at its usual ports. Check it; or save the picture, and choose the file."
    )
    return ProblemError(HTTPStatus.BAD_REQUEST, "address-not-public", "Not on the public web", detail, field="url")


def picture_too_large(limit: int) -> ProblemError:
    """413: larger than images may be."""
    detail = f"The picture at this address is larger than {limit / 2**20:.3g} MiB. Choose a smaller one."
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "image-too-large", "Image too large", detail, field="url")


def web_failed(how: str) -> ProblemError:
    """502: the site is there, and no picture comes of it."""
    detail = f"The site {how}. Check the address in the browser; or save the picture there, and choose the file."
    return ProblemError(HTTPStatus.BAD_GATEWAY, "web-failed", "The site does not give the picture", detail, field="url")


def web_too_slow(seconds: float) -> ProblemError:
    """504: the time is up."""
    detail = f"The picture did not arrive within {seconds:g} seconds. Try again; or save it, and choose the file."
    return ProblemError(HTTPStatus.GATEWAY_TIMEOUT, "web-too-slow", "The site is too slow", detail, field="url")
