"""Who is let in to the desk, and who is not: no server needed."""

from __future__ import annotations

import socket

import pytest

from horizon.cli.desk_gate import Gate

HERE = "127.0.0.1:8866"


@pytest.fixture
def gate() -> Gate:
    return Gate("127.0.0.1", 8866)


def reason(gate: Gate, *, path: str | None = None, **headers: str) -> str | None:
    """Ask with the token, unless another path is given."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return gate.refusal(f"/?token={gate.token}" if path is None else path, names)


def test_address_has_a_token_of_each_server_its_own(gate: Gate) -> None:
    assert gate.address == f"http://127.0.0.1:8866/?token={gate.token}"
    assert len(gate.token) == 32  # 24 bytes in base64
    assert Gate("127.0.0.1", 8866).token != gate.token
    six = Gate("::1", 80)
    assert six.address == f"http://[::1]:80/?token={six.token}"
    every = Gate("0.0.0.0", 80)
    assert every.address == f"http://{socket.gethostname()}:80/?token={every.token}"


@pytest.mark.parametrize("host", [HERE, "localhost:8866", "LOCALHOST", "[::1]:8866", "127.0.0.1"])
def test_this_machine_is_let_in_by_its_names(gate: Gate, host: str) -> None:
    assert reason(gate, Host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8866",
        "127.0.0.1.evil.example:8866",
        "localhost.evil.example",
        "192.0.2.7:8866",
        "[::2]:8866",
        "",
    ],
)
def test_other_names_are_refused_even_with_the_token(gate: Gate, host: str) -> None:
    assert "not reached by that name" in str(reason(gate, Host=host))
    assert "not reached by that name" in str(gate.refusal(f"/?token={gate.token}", {}))


def test_another_address_is_reached_by_its_own_names() -> None:
    named = Gate("desk.example", 8866)
    own = socket.gethostname()
    for host in ("desk.example:8866", "Desk.Example", "192.0.2.7:8866", own, f"{own}.local:8866"):
        assert reason(named, Host=host) is None
    for host in ("evil.example", "desk.example.evil.example", HERE):
        assert reason(named, Host=host) is not None
    every = Gate("0.0.0.0", 8866)
    for host in (HERE, "localhost", "192.0.2.7:8866", own):
        assert reason(every, Host=host) is None
    assert reason(every, Host="evil.example") is not None
    assert not every.is_local
    assert not named.is_local


def test_token_or_its_cookie_is_needed(gate: Gate) -> None:
    for path in ("/", "/?token=", "/?token=wrong", "/?token=%C3%A9", f"/?key={gate.token}"):
        assert "with its token" in str(reason(gate, path=path, Host=HERE))
    kept = f"{gate.cookie}={gate.token}"
    for path in ("/", "/?theme=dark", "/api/kernels/1/channels", "/voila/static/voila.js"):
        assert reason(gate, path=path, Host=HERE, Cookie=f"_xsrf=2|a; {kept}") is None
    for cookie in (f"{gate.cookie}=wrong", f"horizon-desk-8867={gate.token}", "a[]=;;", ""):
        assert reason(gate, path="/", Host=HERE, Cookie=cookie) is not None


def test_other_pages_are_refused(gate: Gate) -> None:
    for site in ("cross-site", "same-site"):  # the second is another port of this machine
        for mode in ("no-cors", "cors", "websocket"):
            refused = reason(gate, Host=HERE, Sec_Fetch_Site=site, Sec_Fetch_Mode=mode)
            assert "Another page" in str(refused)
        assert reason(gate, Host=HERE, Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate") is None
    for site in ("same-origin", "none"):
        assert reason(gate, Host=HERE, Sec_Fetch_Site=site, Sec_Fetch_Mode="cors") is None


def test_origin_must_be_host_and_port(gate: Gate) -> None:
    assert reason(gate, Host=HERE, Origin=f"http://{HERE}") is None
    others = ("http://evil.example", "http://127.0.0.1:9999", "http://localhost:8866", "null")
    for origin in others:
        assert "Another page" in str(reason(gate, Host=HERE, Origin=origin))
