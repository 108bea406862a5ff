"""The frame around every view."""

from playwright.sync_api import Page, expect


def test_each_place_is_a_click_away(page: Page) -> None:
    page.goto("/")
    places = page.get_by_role("navigation").get_by_role("link")
    for name in places.all_inner_texts():
        link = page.get_by_role("navigation").get_by_role("link", name=name, exact=True)
        link.click()
        expect(link).to_have_attribute("aria-current", "page")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
