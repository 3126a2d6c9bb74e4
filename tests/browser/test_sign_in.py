import re

from oidc_provider_mock import User, run_server_in_thread
from playwright.sync_api import expect
from support.server import ADMIN_TOKEN, Server

from .conftest import ROOT


def test_the_operator_signs_in_and_out(page):
    page.goto("/")
    page.get_by_role("button", name="Sign in").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Token").fill("vl_nobody-has-this-one")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_text(re.compile("unknown, expired or revoked"))).to_be_visible()
    page.complaints.clear()  # the browser's console tells of the 401 as well

    dialog.get_by_label("Token").fill(ADMIN_TOKEN)
    dialog.get_by_label("Token").press("Enter")
    expect(dialog).not_to_be_visible()
    leave = page.get_by_role("button", name="Sign out (admin token)")
    expect(leave).to_be_visible()
    page.reload()
    expect(leave).to_be_visible()
    # As a settings page would: from the page itself, with what the browser sends along.
    change = "() => fetch('/backend/settings', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'})"
    assert page.evaluate(f"async () => (await ({change})()).status") == 200
    assert "visionlab_session" not in page.evaluate("() => document.cookie")

    leave.click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_bar_has_room_for_it(page):
    page.goto("/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    wider = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0


def test_a_person_signs_in_with_the_provider(chromium, tmp_path):
    ada = User(sub="ada", claims={"name": "Ada Lovelace", "groups": ["visionlab-admin"]})
    with run_server_in_thread(user_claims=[ada]) as provider:
        options = {
            "VISIONLAB_OIDC_ISSUER": f"http://localhost:{provider.server_port}",
            "VISIONLAB_OIDC_CLIENT_ID": "visionlab",
            "VISIONLAB_OIDC_CLIENT_SECRET": "of the browser's test",
            "VISIONLAB_OIDC_NAME": "Example Inc.",
            "VISIONLAB_UI_FOLDER": str(ROOT / "ui/dist"),
        }
        server = Server(tmp_path / "data", tmp_path, **options).start()
        page = chromium.new_page(base_url=server.url)
        try:
            page.goto("/")
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("link", name="Sign in with Example Inc.").click()
            page.get_by_role("button", name=re.compile("ada")).first.click()
            # The cookie is SameSite=Strict, and the way back leads over another site: the page's own calls have it all the same.
            expect(page.get_by_role("button", name="Sign out (Ada Lovelace)")).to_be_visible()
        finally:
            page.close()
            server.close()
