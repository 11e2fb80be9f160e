"""One person with a browser, who finds things by their names and looks at what comes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, expect

from tests.browser import check_page, watch
from tests.journeys.wire import Wire
from tests.journeys.words import Words

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SECONDS = 1000.0
PATIENCE = 60 * SECONDS
RELOADS = 60
LOCALES = {"fr": "fr-BE", "en": "en-GB"}

expect.set_options(timeout=PATIENCE)


class Person:
    """Somebody at a screen of one width, in one language.

    ``on`` and ``sees`` say what has come; every page that ``on`` has named is looked at (axe-core,
    sideways scrolling, sizes, console), and ``unseen_pages`` are those that nobody named.
    """

    def __init__(
        self, name: str, address: str, browser: Browser, url: str, words: Words, width: int
    ) -> None:
        self.name, self.address, self.url, self.words, self.width = (
            name,
            address,
            url,
            words,
            width,
        )
        parts = urlsplit(url)
        self.wire = Wire((str(parts.hostname), int(parts.port or 80)))
        self._context = browser.new_context(
            viewport={"width": width, "height": 780 if width < 600 else 900},
            locale=LOCALES[words.language],
            reduced_motion="reduce",
            has_touch=width < 600,
            proxy={"server": self.wire.address},
        )
        self._context.set_default_timeout(PATIENCE)
        self.page: Page = self._context.new_page()
        watch(self.page)
        self._visited: set[str] = set()
        self._looked_at: set[str] = set()
        self._pictures = 0
        self.page.on("framenavigated", lambda frame: self._visited.add(_place(frame.url)))

    def leave(self) -> None:
        """Close the browser."""
        self._context.close()
        self.wire.close()

    # -- looking ------------------------------------------------------------------------------

    def on(self, title: str, /, **values: Any) -> None:
        """The page with that heading has come; look at it."""
        heading = self.page.get_by_role("heading", level=1, name=self.words.like(title, **values))
        expect(heading).to_be_visible()
        self.look(title)

    def look(self, name: str) -> None:
        """Examine the page as it stands (and photograph it if asked to).

        A page that follows some long work goes on by itself: what comes then is looked at.
        """
        self.page.wait_for_load_state()
        expect(self.page.locator("[data-progress-url]")).to_have_count(0)
        self._looked_at.add(_place(self.page.url))
        self._pictures += 1
        first = self.name.split()[0].lower()
        stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
        check_page(self.page, name=f"{first}-{self._pictures:02}-{stem}")

    @property
    def unseen_pages(self) -> set[str]:
        """Pages that this person has been on and that were not looked at."""
        return self._visited - self._looked_at

    def sees(self, text: str, within: Locator | None = None, /, **values: Any) -> Locator:
        """The text stands on the page, as a whole element's."""
        place = self._main if within is None else within
        found = place.get_by_text(self.words.like(text, **values)).first
        expect(found).to_be_visible()
        return found

    def reads(self, text: str, /, **values: Any) -> None:
        """The text stands on the page, alone or among others."""
        expect(self._main).to_contain_text(self.words.part(text, **values))

    def is_told(self, text: str, /, **values: Any) -> None:
        """The message at the top of the page after a step."""
        message = self.page.get_by_role("status").filter(has_text=self.words.part(text, **values))
        expect(message).to_be_visible()

    def reloads_until(self, condition: Callable[[], Locator]) -> Locator:
        """Reload until something stands on the page, a second each time and a minute in all."""
        for _again in range(RELOADS):
            found = condition()
            try:
                expect(found).to_be_visible(timeout=1 * SECONDS)
            except AssertionError:
                self.page.reload()
            else:
                return found
        raise AssertionError(f"{self.name} reloaded {self.page.url} in vain")

    @property
    def _main(self) -> Locator:
        return self.page.get_by_role("main")

    # -- acting -------------------------------------------------------------------------------

    def opens(self, address: str) -> None:
        """Type an address, or follow one from a mail."""
        self.page.goto(address)

    def button(self, text: str, within: Locator | None = None, /, **values: Any) -> Locator:
        place = self._main if within is None else within
        return place.get_by_role("button", name=self.words.like(text, **values))

    def link(self, text: str, within: Locator | None = None, /, **values: Any) -> Locator:
        place = self._main if within is None else within
        return place.get_by_role("link", name=self.words.like(text, **values))

    def presses(self, text: str, /, **values: Any) -> None:
        self.button(text, **values).click()

    def follows(self, text: str, /, **values: Any) -> None:
        """Follow a link of the page itself; where it stands twice, the first."""
        self.link(text, **values).first.click()

    def goes_to(self, text: str) -> None:
        """Follow a link of the navigation, through the menu on a telephone."""
        if self.width < 600:
            self.page.locator("summary", has_text=self.words("Menu")).click()
        navigation = self.page.get_by_role("navigation", name=self.words("Main"))
        navigation.get_by_role("link", name=self.words(text), exact=True).click()

    def goes_home(self) -> None:
        """The name of the site leads to one's own page."""
        self.page.get_by_role("banner").locator("a.brand").click()

    def field(self, label: str, /, **values: Any) -> Locator:
        """A field by its label, whether marked as optional or not."""
        said = self.words(label, **values)
        optional = re.escape(self.words("(optional)"))
        return self._main.get_by_label(re.compile(rf"^\s*{re.escape(said)}\s*({optional})?\s*$"))

    def fills(self, label: str, text: str, /, **values: Any) -> None:
        self.field(label, **values).fill(text)

    def chooses(self, label: str, option: str) -> None:
        """An option of a list."""
        self.field(label).select_option(label=self.words(option))

    def ticks(self, text: str, /, **values: Any) -> None:
        """A box or one of several round buttons, by the words beside it."""
        self._main.get_by_label(self.words.like(text, **values)).check()

    def downloads(self, text: str, /, **values: Any) -> Any:
        """Follow a link that gives a file."""
        with self.page.expect_download() as download:
            self.link(text, **values).first.click()
        return download.value

    def fetches(self, link: Locator) -> str:
        """What a link leads to that the browser would show in a viewer of its own."""
        script = "(link) => fetch(link.href).then((answer) => answer.text())"
        return str(link.first.evaluate(script))

    def text(self) -> str:
        """What stands in the main part of the page."""
        return self._main.inner_text()


def _place(url: str) -> str:
    """Which page an address means: without the part after the hash, and without the query."""
    parts = urlsplit(url)
    return parts.path if parts.scheme.startswith("http") else ""
