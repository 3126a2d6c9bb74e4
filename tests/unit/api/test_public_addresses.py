"""Which addresses are the public web."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from pydantic import ValidationError

from visionlab_api.configuration import ApiConfiguration
from visionlab_api.services.public_addresses import Reach, is_public, read_place

PUBLIC = [
    "1.1.1.1",
    "93.184.215.14",
    "172.32.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:800::200e",
    "::ffff:1.1.1.1",  # IPv4, written as IPv6
    "64:ff9b::101:101",  # IPv4 behind NAT64: networks without IPv4 reach the web so
]
NOT_PUBLIC = {
    "127.0.0.1": "this machine",
    "127.8.9.10": "this machine",
    "0.0.0.0": "this machine",
    "::": "this machine",
    "::1": "this machine",
    "10.0.0.1": "private",
    "172.16.0.1": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "behind a carrier's NAT",
    "100.100.100.200": "Alibaba's metadata",
    "169.254.169.254": "the metadata of most clouds",
    "192.0.0.192": "Oracle's metadata",
    "168.63.129.16": "Azure's own",
    "fd00:ec2::254": "Amazon's metadata",
    "192.0.2.1": "documentation",
    "198.18.0.1": "benchmarks",
    "224.0.0.1": "multicast",
    "239.1.2.3": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "192.88.99.1": "6to4 relay",
    "fc00::1": "unique local",
    "fe80::1": "link local",
    "fe80::1%eth0": "link local",
    "fec0::1": "site local",
    "2606:4700:4700::1111%eth0": "of an interface",
    "ff02::1": "multicast",
    "ff0e::1": "multicast of the whole world",
    "2001:db8::1": "documentation",
    "3fff::1": "documentation",
    "::ffff:10.0.0.1": "private, written as IPv6",
    "::ffff:127.0.0.1": "this machine, written as IPv6",
    "::ffff:169.254.169.254": "metadata, written as IPv6",
    "::7f00:1": "this machine, in the old way",
    "::ffff:0:7f00:1": "this machine, translated",
    "64:ff9b::a00:1": "private behind NAT64",
    "64:ff9b::a9fe:a9fe": "metadata behind NAT64",
    "64:ff9b:1::101:101": "NAT64 of one's own",
    "2002:a00:1::": "private by 6to4",
    "2002:101:101::": "6to4",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo",
    "100::1": "thrown away",
    "5f00::1": "segment routing",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_web(address):
    assert is_public(ip_address(address))
    assert Reach().allows(ip_address(address), 80)
    assert Reach().allows(ip_address(address), 443)


@pytest.mark.parametrize(("address", "what"), NOT_PUBLIC.items())
def test_not_the_public_web(address, what):
    assert not is_public(ip_address(address)), what
    assert not Reach().allows(ip_address(address), 80), what


@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 0])
def test_the_web_has_two_ports(port):
    assert not Reach().allows(ip_address("1.1.1.1"), port)


def test_networks_of_the_operators_are_left_alone():
    reach = Reach(never=(ip_network("1.1.1.0/24"), ip_network("2a00:1450::/32")))
    for address in ("1.1.1.1", "::ffff:1.1.1.1", "64:ff9b::101:101", "2a00:1450::1"):
        assert not reach.allows(ip_address(address), 443)
    assert reach.allows(ip_address("1.1.2.1"), 443)


def test_what_the_operator_names_is_reached_and_nothing_beside_it():
    reach = Reach(also=frozenset({read_place("10.1.2.3:8080")}))
    assert reach.allows(ip_address("10.1.2.3"), 8080)
    assert reach.allows(ip_address("::ffff:10.1.2.3"), 8080)
    assert not reach.allows(ip_address("10.1.2.3"), 80)
    assert not reach.allows(ip_address("10.1.2.4"), 8080)


def test_settings():
    configuration = ApiConfiguration(fetch_also_from="10.1.2.3:8080, [fd00::1]:80", fetch_never_from="1.1.1.0/24,2a00::/16")
    assert configuration.reach() == Reach(
        frozenset({(ip_address("10.1.2.3"), 8080), (ip_address("fd00::1"), 80)}),
        (ip_network("1.1.1.0/24"), ip_network("2a00::/16")),
    )
    assert ApiConfiguration().reach() == Reach()


@pytest.mark.parametrize(
    "settings",
    [
        {"fetch_also_from": "10.0.0.0/8"},
        {"fetch_also_from": "10.0.0.1"},
        {"fetch_also_from": "*:80"},
        {"fetch_also_from": "localhost:80"},
        {"fetch_also_from": "10.0.0.1:0"},
        {"fetch_also_from": "10.0.0.1:99999"},
        {"fetch_never_from": "1.1.1.1/24"},
        {"fetch_never_from": "example.org"},
    ],
)
def test_settings_that_say_something_else_are_refused(settings):
    with pytest.raises(ValidationError):
        ApiConfiguration(**settings)


@pytest.mark.parametrize(
    ("host", "said", "fetches"),
    [
        ("127.0.0.1", None, True),
        ("localhost", None, True),
        ("0.0.0.0", None, False),
        ("0.0.0.0", "on", True),
        ("127.0.0.1", "off", False),
    ],
)
def test_it_is_on_where_nobody_else_asks(host, said, fetches):
    assert ApiConfiguration(host=host, fetch_pictures=said).fetches_pictures is fetches
