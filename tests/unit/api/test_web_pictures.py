"""What comes, and does not come, of an address: against small servers that behave as they like."""

from __future__ import annotations

import asyncio
import gzip
import re
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.image_files import jpeg
from support.small_http_server import answer, serving

from visionlab_api.problems import ProblemError
from visionlab_api.services.public_addresses import Reach
from visionlab_api.services.public_network import PublicNetwork
from visionlab_api.services.web_pictures import MOST_AT_ONCE, MOST_OF_ONE_CALLER, WebPictures

LIMIT = 100_000
PICTURE = jpeg(64, 64)


def resolve(host: str, port: int):
    return [ip_address("127.0.0.1" if host.endswith(".example") else host)]


@asynccontextmanager
async def fetching(*ports: int, seconds: float = 60):
    reach = Reach(also=frozenset((ip_address("127.0.0.1"), port) for port in ports))
    pictures = WebPictures(PublicNetwork(reach, resolve), max_bytes=LIMIT, seconds=seconds)
    yield pictures
    pictures.close()


async def problem(pictures: WebPictures, address: str, status: int, kind: str) -> ProblemError:
    with pytest.raises(ProblemError) as raised:
        await pictures.fetch(address, None)
    error = raised.value
    assert (error.status, error.kind, error.field) == (status, kind, "url")
    assert error.detail.endswith(".")
    return error


async def comes_of(said: bytes | None, status: int, kind: str) -> ProblemError:
    async def behave(_number, _body):
        return said

    async with serving(behave) as port, fetching(port) as pictures:
        return await problem(pictures, f"http://127.0.0.1:{port}/a.jpg", status, kind)


def leads_to(place: str) -> bytes:
    return answer(302, b"", location=place)


async def test_a_picture_comes_as_it_is():
    heads = []

    async def behave(_number, _body):
        return answer(200, PICTURE, content_type="text/html", set_cookie="a=b")

    async with serving(behave, heads=heads) as port, fetching(port) as pictures:
        for _ in range(2):
            fetched = await pictures.fetch(f"  http://faces.example:{port}/some/my%20face.jpg?size=large#top ", "somebody")
            assert fetched.data == PICTURE
            assert fetched.filename == "my face.jpg"
    for head in heads:
        lines = head.decode().lower().splitlines()
        assert lines[0] == "get /some/my%20face.jpg?size=large http/1.1"
        assert f"host: faces.example:{port}" in lines
        assert "accept-encoding: identity" in lines
        assert {line.partition(":")[0] for line in lines[1:] if line} == {"host", "accept", "accept-encoding", "user-agent"}


async def test_a_picture_without_a_name_is_called_by_its_host():
    async def behave(_number, _body):
        return answer(200, PICTURE)

    async with serving(behave) as port, fetching(port) as pictures:
        assert (await pictures.fetch(f"http://faces.example:{port}/", None)).filename == "faces.example"


@pytest.mark.parametrize(
    "address",
    [
        "ftp://faces.example/a.jpg",
        "file:///etc/passwd",
        "gopher://faces.example/",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "//faces.example/a.jpg",
        "faces.example/a.jpg",
        "http://",
        "http:///a.jpg",
        "http://[::1",
        "http://faces.example:port/",
        "http://user:secret@faces.example/",
        "http://user@faces.example/",
        "http://faces.example/\x01",
        "   ",
    ],
)
async def test_what_is_no_address_of_the_web(address):
    async with fetching() as pictures:
        error = await problem(pictures, address, 422, "invalid-request")
        assert "secret" not in error.detail


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/",
        "https://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::a00:1]/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://inner.example/",
        "http://a b/",
        "http://nowhere.invalid/",
        "http://1.1.1.1:22/",
        "http://1.1.1.1:99999/",
        "http://127.0.0.1:1/",
    ],
)
async def test_all_that_is_not_reached_is_told_in_the_same_words(address):
    async with fetching() as pictures:
        error = await problem(pictures, address, 400, "address-not-public")
        assert error.detail.startswith("This address does not lead to the public web, at its usual ports.")
        assert error.__cause__ is None


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:{inner}/",
        "//127.0.0.1:{inner}/secret",
        "http://localhost.example:{inner}/",
        "http://user:secret@127.0.0.1:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
        "http://169.254.169.254/",
    ],
)
async def test_a_redirect_leads_no_further_than_an_address(place):
    heads = []

    async def inner(_number, _body):
        return answer(200, PICTURE)

    async def behave(_number, _body):
        return leads_to(place.format(inner=inner_port, port=port))

    async with serving(inner, heads=heads) as inner_port, serving(behave) as port, fetching(port) as pictures:
        direct = await problem(pictures, f"http://127.0.0.1:{inner_port}/", 400, "address-not-public")
        led = await problem(pictures, f"http://127.0.0.1:{port}/", 400, "address-not-public")
        assert led.detail == direct.detail
    assert heads == []


@pytest.mark.parametrize(("times", "status"), [(0, 200), (5, 200), (6, 502), (1000, 502)])
async def test_redirects_are_followed_up_to_five(times, status):
    heads = []

    async def behave(number, _body):
        return answer(200, PICTURE) if number == times else leads_to(f"../{number}/next.jpg")

    async with serving(behave, heads=heads) as port, fetching(port) as pictures:
        if status == 200:
            assert (await pictures.fetch(f"http://127.0.0.1:{port}/a.jpg", None)).data == PICTURE
        else:
            await problem(pictures, f"http://127.0.0.1:{port}/a.jpg", 502, "web-failed")
    assert len(heads) == min(times, 5) + 1


@pytest.mark.parametrize("status", [204, 206, 304, 401, 403, 404, 429, 500])
async def test_other_answers_are_told(status):
    assert str(status) in (await comes_of(answer(status, b""), 502, "web-failed")).detail


@pytest.mark.parametrize(
    "said",
    [
        None,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000,
        b"HTTP/1.1 302 X\r\nlocation: http://a:b/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 X\r\nlocation: \xff\xfe\r\ncontent-length: 0\r\n\r\n",
    ],
    ids=["closes", "no HTTP", "broken off", "endless head", "leads to no address", "leads to no text"],
)
async def test_what_is_no_answer_is_told(said):
    async def behave(_number, _body):
        return said

    async with serving(behave) as port, fetching(port, seconds=2) as pictures:
        with pytest.raises(ProblemError) as raised:
            await pictures.fetch(f"http://127.0.0.1:{port}/a.jpg", None)
    # A connection that stays open after half an answer is only told by the time.
    assert raised.value.kind in ("web-failed", "web-too-slow")


async def test_packed_bodies_are_refused_before_they_are_read():
    bomb = gzip.compress(bytes(50 * LIMIT))
    assert len(bomb) < LIMIT
    assert "Content-Encoding" in (await comes_of(answer(200, bomb, content_encoding="gzip"), 502, "web-failed")).detail
    assert "Content-Encoding" in (await comes_of(answer(200, bomb, content_encoding="identity, br"), 502, "web-failed")).detail


async def test_too_much_is_refused_by_its_announcement():
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % 10**12
    assert "MiB" in (await comes_of(head, 413, "image-too-large")).detail


async def test_too_much_is_not_read_to_its_end():
    sent = 0

    async def behave(_number, _body):
        return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    async def endless(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(await behave(0, b""))
        try:
            while True:
                writer.write(b"1000\r\n" + bytes(0x1000) + b"\r\n")
                await writer.drain()
                sent += 0x1000
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with fetching(port) as pictures:
        await problem(pictures, f"http://127.0.0.1:{port}/a.jpg", 413, "image-too-large")
    server.close()
    assert sent < 200 * LIMIT  # the rest is what waits in sockets


async def test_as_much_as_the_limit_is_taken():
    async def behave(_number, _body):
        return answer(200, bytes(LIMIT))

    async with serving(behave) as port, fetching(port) as pictures:
        assert len((await pictures.fetch(f"http://127.0.0.1:{port}/", None)).data) == LIMIT


async def test_the_time_is_for_all_of_it():
    async def behave(number, _body):
        # Each step is quick enough.
        await asyncio.sleep(0.4)
        return leads_to(f"/{number}")

    async with serving(behave) as port, fetching(port, seconds=1) as pictures:
        assert "1 seconds" in (await problem(pictures, f"http://127.0.0.1:{port}/", 504, "web-too-slow")).detail


async def test_so_many_at_once_and_no_more():
    going = asyncio.Event()

    async def behave(_number, _body):
        await going.wait()
        return answer(200, PICTURE)

    async with serving(behave) as port, fetching(port) as pictures:
        address = f"http://127.0.0.1:{port}/"

        async def refused(caller: str | None) -> None:
            with pytest.raises(ProblemError) as raised:
                await pictures.fetch(address, caller)
            assert (raised.value.status, raised.value.kind) == (503, "busy")
            assert raised.value.retry_after

        mine = [asyncio.create_task(pictures.fetch(address, "me")) for _ in range(MOST_OF_ONE_CALLER)]
        await asyncio.sleep(0)
        await refused("me")
        others = [asyncio.create_task(pictures.fetch(address, None)) for _ in range(MOST_AT_ONCE - MOST_OF_ONE_CALLER)]
        await asyncio.sleep(0)
        await refused("you")
        await refused(None)
        going.set()
        assert {fetched.data for fetched in await asyncio.gather(*mine, *others)} == {PICTURE}
        assert (await pictures.fetch(address, "me")).data == PICTURE


async def test_proxies_of_the_environment_do_not_count(monkeypatch):
    asked = []

    async def proxy(_number, _body):
        return answer(200, b"of the proxy")

    async def behave(_number, _body):
        return answer(200, PICTURE)

    async with serving(proxy, heads=asked) as proxy_port, serving(behave) as port, fetching(port, proxy_port) as pictures:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy_port}")
        assert (await pictures.fetch(f"http://127.0.0.1:{port}/", None)).data == PICTURE
    assert asked == []


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """A server's side of TLS, of a certificate for faces.example that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("faces.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "both.pem"
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


async def test_the_certificate_is_that_of_the_name_though_an_address_is_connected_to(tls):
    heads = []

    async def behave(_number, _body):
        return answer(200, PICTURE)

    async with serving(behave, heads=heads, tls=tls) as port, fetching(port) as pictures:
        assert (await pictures.fetch(f"https://faces.example:{port}/a.jpg", None)).data == PICTURE
        for other in ("others.example", "127.0.0.1"):
            error = await problem(pictures, f"https://{other}:{port}/a.jpg", 502, "web-failed")
            assert re.search("certificate", error.detail)
    assert len(heads) == 1
