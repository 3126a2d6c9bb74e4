from playwright.sync_api import expect


def test_the_api_is_documented_without_another_host(page):
    page.goto("/backend/docs")
    expect(page.get_by_role("heading", name="VisionLab")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("/backend/image/classify", exact=True)).to_be_visible()
