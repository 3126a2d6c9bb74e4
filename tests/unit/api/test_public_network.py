"""Names are resolved once, all their addresses are judged, and the connection goes to one that was judged."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import httpcore
import pytest

from visionlab_api.services.public_addresses import Reach
from visionlab_api.services.public_network import NotPublic, PublicNetwork


class Connector(httpcore.AsyncNetworkBackend):
    """Connects to nothing, and remembers where it should have."""

    def __init__(self, *, broken: tuple[str, ...] = (), ours: str = "203.0.113.9") -> None:
        self.asked = []
        self._broken = broken
        self._ours = ours

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):  # noqa: ASYNC109
        self.asked.append((host, port))
        if host in self._broken:
            raise httpcore.ConnectError
        return Stream(self._ours, host)


class Stream(httpcore.AsyncMockStream):
    def __init__(self, ours: str, theirs: str) -> None:
        super().__init__([])
        self._ends = {"client_addr": (ours, 1), "server_addr": (theirs, 80)}

    def get_extra_info(self, info):
        return self._ends[info]


def network(*answers, connector=None, reach=None):
    """A network whose names have these addresses, one answer after the other."""
    said = iter(answers)

    def resolve(host, port):
        return [ip_address(each) for each in next(said)]

    return PublicNetwork(reach or Reach(), resolve, connector or Connector())


async def test_connects_to_the_address_and_not_to_the_name():
    connector = Connector()
    await network(["1.1.1.1"], connector=connector).connect_tcp("pictures.example", 443)
    assert connector.asked == [("1.1.1.1", 443)]


async def test_a_name_that_changes_its_mind_leads_nowhere_else():
    connector = Connector()
    both = network(["1.1.1.1"], ["127.0.0.1"], connector=connector)
    await both.connect_tcp("rebinding.example", 80)
    assert connector.asked == [("1.1.1.1", 80)]
    with pytest.raises(NotPublic):
        await both.connect_tcp("rebinding.example", 80)
    assert connector.asked == [("1.1.1.1", 80)]


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["::ffff:10.0.0.1", "1.1.1.1"], ["1.1.1.1"] * 9 + ["::1"], []]
)
async def test_one_bad_address_spoils_a_name(addresses):
    connector = Connector()
    with pytest.raises(NotPublic):
        await network(addresses, connector=connector).connect_tcp("mixed.example", 80)
    assert connector.asked == []


async def test_other_ports_are_not_asked():
    connector = Connector()
    with pytest.raises(NotPublic):
        await network(["1.1.1.1"], connector=connector).connect_tcp("pictures.example", 6379)
    assert connector.asked == []


async def test_the_next_address_is_tried_where_one_does_not_answer():
    connector = Connector(broken=("2606:4700::1",))
    await network(["2606:4700::1", "1.1.1.1"], connector=connector).connect_tcp("pictures.example", 80)
    assert connector.asked == [("2606:4700::1", 80), ("1.1.1.1", 80)]


async def test_where_none_answers_it_is_said():
    connector = Connector(broken=("1.1.1.1", "1.0.0.1"))
    with pytest.raises(httpcore.ConnectError):
        await network(["1.1.1.1", "1.0.0.1"], connector=connector).connect_tcp("pictures.example", 80)
    assert len(connector.asked) == 2


async def test_our_own_public_address_is_not_asked_from_inside():
    with pytest.raises(NotPublic):
        await network(["1.1.1.1"], connector=Connector(ours="1.1.1.1")).connect_tcp("we.example", 80)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "::1", "::ffff:127.0.0.1", "a" * 64 + ".example", ""]
)
async def test_the_systems_names_and_odd_ways_to_write_addresses(host):
    connector = Connector()
    with pytest.raises(NotPublic):
        await PublicNetwork(Reach(), connector=connector).connect_tcp(host, 80)
    assert connector.asked == []


async def test_a_name_that_is_not_there_is_like_one_that_is_not_public(monkeypatch):
    def nothing(*_words, **_more):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with pytest.raises(NotPublic):
        await PublicNetwork(Reach(), connector=Connector()).connect_tcp("nowhere.example", 80)


@pytest.mark.parametrize("port", [70_000, 2**40])
async def test_ports_that_there_are_not(port):
    with pytest.raises(NotPublic):
        await PublicNetwork(Reach(), connector=Connector()).connect_tcp("127.0.0.1", port)


async def test_sockets_of_this_machine_are_not_opened():
    with pytest.raises(NotPublic):
        await PublicNetwork(Reach()).connect_unix_socket("/run/docker.sock")
