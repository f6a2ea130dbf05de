"""Fakturaportalen: every municipal invoice by the best way that works for the resident, exactly once."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from app import offers, portal, staff, web
from app.campaigns import models as campaigns_models
from app.campaigns.bounces import take_returned
from app.campaigns.commands import offers_cli
from app.campaigns.follow import before_routing
from app.contact import models as contact_models
from app.contact.notices import bring_owed
from app.core import audit, logging, sessions, throttle
from app.core.audit_chain import prepare_chain
from app.core.audit_commands import audit_cli
from app.core.clock import Clock
from app.core.database import db
from app.core.dialect import prepare_engine
from app.core.settings import Settings, load_settings
from app.delivery import commands as delivery_commands
from app.delivery import listeners, person_commands, statistics_models
from app.delivery import models as delivery_models
from app.invoices import models as invoices_models
from app.invoices.commands import invoices_cli, payments_cli
from app.portal import models as portal_models
from app.registries import models as registries_models
from app.residents import models as residents_models
from app.residents.commands import mandates_cli, residents_cli
from app.residents.key_commands import keys_cli
from app.sandbox import transport_to
from app.sandbox.commands import demo
from app.sandbox.site import mount_site
from app.staff import models as staff_models
from app.web.forms import csrf

MIGRATIONS = Path(__file__).parent.parent / "migrations"
# Modules that add their commands to a group of another room.
COMMANDS = (delivery_commands, person_commands)
MODELS = (
    audit, campaigns_models, contact_models, delivery_models, invoices_models, portal_models, registries_models,
    residents_models, sessions, staff_models, statistics_models, throttle,
)  # fmt: skip


def create_app(settings: Settings | None = None) -> Flask:
    """The one place where everything is joined. Raises `SettingsInvalid` when the settings cannot be used."""
    settings = settings or load_settings()
    clock = Clock.for_day(settings.today)
    app = Flask(__name__, template_folder="../templates", static_folder="../static")
    app.config.from_mapping(
        {name.upper(): value for name, value in settings.model_dump().items()},
        SETTINGS=settings,
        CLOCK=clock,
        TRANSPORT=transport_to(settings.sandbox_dir, settings.sandbox_url, clock.now) if settings.sandbox else None,
        LOG_IN_ADAPTER=None,
        BEFORE_ROUTING={"agreements": before_routing, "notices": bring_owed},
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        # The values bound to a statement may be personal: they stay out of every error text.
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},
    )
    logging.configure(settings)
    settings.instance_dir.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS), compare_type=True, render_as_batch=True)
    add_pages(app, settings)
    with app.app_context():
        prepare_engine(db.engine)
        prepare_chain(db.engine, settings)
    listeners.listen("offers", take_returned)
    for group in (residents_cli, mandates_cli, invoices_cli, payments_cli, keys_cli, audit_cli, offers_cli):
        app.cli.add_command(group)
    if settings.sandbox:
        app.cli.add_command(demo)
    return app


def add_pages(app: Flask, settings: Settings) -> None:
    """Serve the pages, behind whatever proxies are trusted; in the sandbox with the stand-ins a browser must reach."""
    portal.init_app(app)
    offers.init_app(app)
    staff.init_app(app)
    web.init_app(app)
    sessions.init_app(app)
    for view in (*portal.MACHINES, *offers.MACHINES):
        csrf.exempt(view)
    if settings.sandbox:
        app.config["LOG_IN_ADAPTER"] = mount_site(app, settings.sandbox_dir, settings.base_url)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
