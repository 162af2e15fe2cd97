"""The stepper in the real JupyterLab: three stages clicked through, 401 and then 101 on the page."""

from __future__ import annotations

from playwright.sync_api import expect


def test_three_stages(jupyterlab, browser):
    page = jupyterlab.open(browser, "stepper", ["import guestlab as gl\nlab = gl.Lab()\nlab"])
    root = page.locator(".gl-root")
    root.get_by_role("button", name="Get token").click()
    expect(page.locator(".gl-stage-token")).to_contain_text("done")
    root.get_by_role("button", name="Open conversation").click()
    expect(page.locator(".gl-stage-conversation")).to_contain_text("done")
    root.get_by_role("button", name="As asked").click()
    expect(page.locator(".gl-stage-handshake")).to_contain_text("401")
    root.get_by_role("button", name="That works").click()
    expect(page.locator(".gl-stage-handshake")).to_contain_text("101")
    page.set_viewport_size({"width": 1280, "height": 3600})
    page.wait_for_timeout(500)
    page.locator(".gl-root").screenshot(path="/tmp/gl/shots/h10_light.png")
    jupyterlab.theme(page, dark=True)
    page.wait_for_timeout(300)
    page.locator(".gl-root").screenshot(path="/tmp/gl/shots/h10_dark.png")
