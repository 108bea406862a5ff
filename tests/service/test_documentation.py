"""The documentation's pages load nothing from elsewhere, and no other page frames them."""

import re
from urllib.parse import urlsplit

import pytest

from tests.service.conftest import Stage

TYPES = {"js": "text/javascript", "css": "text/css", "png": "image/png"}


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_loads_only_what_this_server_has(stage: Stage, path: str) -> None:
    page = stage.client.get(path)
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)""", page.text)
    loaded += re.findall(r"""spec-url=["']([^"']+)""", page.text)
    assert "/openapi.json" in loaded
    assert sum(address.endswith(".js") for address in loaded) == 1
    assert not re.findall(r"https?://(?!127\.0\.0\.1)", page.text)
    for address in loaded:
        assert not urlsplit(address).netloc
        answer = stage.client.get(address)
        assert answer.status_code == 200
        ending = address.rpartition(".")[2]
        assert answer.headers["content-type"].partition(";")[0] == TYPES.get(ending, "application/json")
    scripts = [stage.client.get(address).text for address in loaded if address.endswith(".js")]
    assert not re.findall(r"""src:\s*["']https?:""", "".join(scripts))  # nor does its script, an image
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy  # the browser, too, loads nothing from elsewhere
    assert "frame-ancestors 'none'" in policy
    assert not re.findall(r"https?:", policy)


def test_nothing_else_of_the_package_is_served(stage: Stage) -> None:
    for name in ("none.js", "..%2fcore.py", "%2e%2e/core.py"):
        assert stage.client.get(f"/docs/assets/{name}").status_code in (404, 422)
