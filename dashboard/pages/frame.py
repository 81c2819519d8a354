"""What every desk page rests on: the registry of pages, who is looking, callbacks with rights, errors as notices.

A desk page is one file in ``dashboard/pages/desk/``::

    PAGE = Page(path="/rules", zh="规则", en="Rules", roles=("admin", "manager"), order=40)

    def layout(visit: Visit) -> Component: …

    @PAGE.callback(Output("rules-grid", "rowData"), Input("rules-refresh", "n_clicks"))
    async def rows(visit: Visit, _clicks: int | None) -> list[dict]: …

The menu, the router and the rights test read the same registry.  A callback of a page runs for whoever may open the
page; the query functions that it calls judge the rest by the request's principal.  A typed error becomes a notice and
changes nothing else on the page.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps
from types import ModuleType
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, html, no_update, set_props
from dash.dependencies import DashDependency
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from core.errors import Forbidden, YiwangError
from core.language.reading import reading
from dashboard.accounts.confirming import ConfirmationRequired
from dashboard.api.deps import principal_of, services_of
from dashboard.auth import Principal
from dashboard.i18n import COOKIE, chosen, translate
from dashboard.pages import desk
from dashboard.pages.asked import current_request
from dashboard.services import Services

NOTICES = "desk-notices"
log = logging.getLogger("yiwang.pages")


@dataclass(frozen=True)
class Visit:
    """One request: who looks, in which language, and the services."""

    principal: Principal
    services: Services
    language: str

    def t(self, key: str, **data: object) -> str:
        """The word of ``key`` in the visitor's language."""
        return translate(self.language, key, **data)


Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Page:
    """A desk page.  ``roles``: who finds it in the menu and may open it; empty: everybody signed in.

    ``order``: its place in the menu (lower first); 0 keeps it out of the menu.  ``below``: the page also answers the
    addresses below its path; ``layout`` then takes their parts as its second argument.
    """

    path: str
    zh: str
    en: str
    roles: tuple[str, ...] = ()
    order: int = 0
    below: bool = False
    callbacks: list[tuple[tuple[Any, ...], Handler]] = field(default_factory=list)
    options: dict[Handler, dict[str, Any]] = field(default_factory=dict)

    def may_open(self, principal: Principal) -> bool:
        """Whether this person may open the page."""
        return not self.roles or principal.has(*self.roles)

    def callback(self, *wiring: DashDependency | bool, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a callback of this page; the handler gets the :class:`Visit` first, then the inputs' values.

        A last ``True`` keeps it from running when the page opens (Dash asks for it where outputs are shared).
        ``options`` go to Dash as they are (``running=[…]``: what shows that it is at work).
        """

        def keep(handler: Handler) -> Handler:
            self.callbacks.append((wiring, handler))
            self.options[handler] = options
            return handler

        return keep


def current_visit() -> Visit:
    """Who asks now.

    Raises:
        NotSignedIn: there is no session; the gate lets no such request through.
    """
    request, language = current_request(), language_of_request()
    reading.set(language)
    return Visit(principal_of(request), services_of(request), language)


def language_of_request() -> str:
    """The language that the browser asks for."""
    return chosen(current_request().cookies.get(COOKIE))


def pages() -> dict[str, ModuleType]:
    """Path → module of every desk page."""
    names = sorted(m.name for m in pkgutil.iter_modules(desk.__path__) if not m.name.startswith("_"))
    modules = [importlib.import_module(f"{desk.__name__}.{name}") for name in names]
    return {module.PAGE.path: module for module in modules if hasattr(module, "PAGE")}


def page_of(path: str) -> tuple[ModuleType, list[str]] | None:
    """The module of the page at ``path`` and the parts of the address below the page's own path."""
    found = pages()
    module = found.get(path.rstrip("/"))
    if module is not None:
        return module, []
    for own, module in found.items():
        if module.PAGE.below and path.startswith(f"{own}/"):
            return module, [part for part in path.removeprefix(f"{own}/").split("/") if part]
    return None


def register(dash: Dash) -> None:
    """Wire the callbacks of every desk page."""
    for module in pages().values():
        for wiring, handler in module.PAGE.callbacks:
            dash.callback(*wiring, **module.PAGE.options.get(handler, {}))(guarded(module.PAGE, handler))


def guarded(page: Page, handler: Handler) -> Handler:
    """``handler`` with the visitor before its arguments, after the page's rights; typed errors become a notice."""

    @wraps(handler)
    async def run(*values: Any) -> Any:
        visit = current_visit()
        try:
            if not page.may_open(visit.principal):
                raise Forbidden(action=f"open {page.path}")
            return await handler(visit, *values)
        except YiwangError as error:
            tell(explained(visit, error), bad=True)
            return no_update
        except PreventUpdate:
            raise
        except Exception:  # Dash answers 500 and writes nothing anywhere
            log.exception("a callback of %s failed: %s", page.path, handler.__name__)
            raise

    return run


def explained(visit: Visit, error: YiwangError) -> Any:
    """What a typed error says to the person, with the way to prove to be there where that is asked."""
    if not isinstance(error, ConfirmationRequired):
        return said(visit, error)
    way = html.A(visit.t("login.confirm_now"), href="/login?confirm=1", target="_blank")
    return [f"{visit.t('login.confirm_asked')} ", way]


def said(visit: Visit, error: Exception) -> str:
    """An error as one sentence, in the visitor's language where it has words in it."""
    return error.told(visit.language) if isinstance(error, YiwangError) else str(error)


def tell(text: Any, *, bad: bool = False) -> None:
    """Show a notice on the page that this callback belongs to."""
    notice = {
        "action": "show", "message": text, "color": "red" if bad else "teal", "autoClose": 12000 if bad else 4000,
    }  # fmt: skip
    set_props(NOTICES, {"sendNotifications": [notice]})


async def in_thread(function: Callable[..., Any], *given: Any) -> Any:
    """Blocking work (a query, a commit) beside the event loop."""
    return await asyncio.to_thread(function, *given)


def frame(content: Any) -> Component:
    """A page's content inside the provider of notices; its colours follow the theme (``ui/shared/look.mjs``)."""
    return dmc.MantineProvider(
        [dmc.NotificationContainer(id=NOTICES, position="top-right"), content],
        theme={"fontFamily": "var(--font)", "primaryColor": "blue", "defaultRadius": 8},
        withGlobalClasses=False,
    )
