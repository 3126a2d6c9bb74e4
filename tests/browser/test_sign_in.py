import re

from playwright.sync_api import expect
from support.server import ADMIN_TOKEN


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
