"""The eFaktura offer, the municipality's people, and what goes with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0002_offers_and_staff"
down_revision = "0001_first_tables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("link", sa.LargeBinary(length=34), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=34), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "state",
            sa.Enum("running", "stopped", "finished", name="campaignstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("started_by", sa.String(length=120), nullable=False),
        sa.Column("stopped_at", sa.DateTime(), nullable=True),
        sa.Column("stopped_by", sa.String(length=120), nullable=True),
        sa.Column(
            "stop_reason", sa.Enum("person", "bounces", name="stopreason", native_enum=False, length=40), nullable=True
        ),
        sa.Column("mails_per_minute", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("name", name=op.f("uq_campaign_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_campaign_public_id")),
    )
    op.create_table(
        "channel_provider",
        sa.Column(
            "channel",
            sa.Enum(
                "avtalegiro",
                "efaktura",
                "vipps",
                "mailbox",
                "email",
                "paper",
                name="channel",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channel_provider")),
    )
    op.create_table(
        "counting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("counted_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counting")),
    )
    op.create_table(
        "invoice_count",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("place", sa.String(length=12), nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("notice_channel", sa.String(length=12), nullable=False),
        sa.Column("hold", sa.String(length=40), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "month", "category", "place", "channel", "notice_channel", "hold", name=op.f("pk_invoice_count")
        ),
    )
    op.create_table(
        "mandate_count",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wants_notice", sa.Boolean(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", "wants_notice", name=op.f("pk_mandate_count")),
    )
    op.create_table(
        "offer_count",
        sa.Column("public_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("bounced", sa.BigInteger(), nullable=False),
        sa.Column("answered", sa.BigInteger(), nullable=False),
        sa.Column("yes", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_offer_count")),
    )
    op.create_table(
        "refusal_count",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("detail", sa.String(length=60), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", "category", "channel", "detail", "is_late", name=op.f("pk_refusal_count")),
    )
    op.create_table(
        "resident_count",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mobile", sa.String(length=12), nullable=False),
        sa.Column("email", sa.String(length=12), nullable=False),
        sa.Column("efaktura", sa.String(length=12), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", "mobile", "email", "efaktura", name=op.f("pk_resident_count")),
    )
    op.create_table(
        "staff_member",
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("actor", name=op.f("pk_staff_member")),
    )
    op.create_table(
        "offer_mail",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=36), nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sending",
                "sent",
                "delivered",
                "bounced",
                "refused",
                "skipped",
                name="mailstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("worker", sa.String(length=120), nullable=True),
        sa.Column("opened_at", sa.DateTime(), nullable=True),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.Column("resent", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_offer_mail_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_mail")),
        sa.UniqueConstraint("campaign_id", "address", name=op.f("uq_offer_mail_campaign_id_address")),
        sa.UniqueConstraint("key", name=op.f("uq_offer_mail_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_offer_mail_public_id")),
    )
    with op.batch_alter_table("offer_mail", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_offer_mail_address"), ["address"], unique=False)
        batch_op.create_index(
            "ix_offer_mail_waiting",
            ["campaign_id"],
            unique=False,
            sqlite_where=sa.text("state in ('waiting', 'sending')"),
            postgresql_where=sa.text("state in ('waiting', 'sending')"),
        )

    op.create_table(
        "owed_notice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Enum("mobile", "email", name="contactkind", native_enum=False, length=40), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("owed_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_owed_notice_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owed_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_owed_notice_key")),
    )
    with op.batch_alter_table("owed_notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_owed_notice_due_at"), ["due_at"], unique=False)

    op.create_table(
        "resident_name",
        sa.Column(
            "word",
            sa.String(length=40).with_variant(sa.VARCHAR(length=40, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "other",
            sa.String(length=40).with_variant(sa.VARCHAR(length=40, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_resident_name_resident_id")),
        sa.PrimaryKeyConstraint("word", "other", "resident_id", name=op.f("pk_resident_name")),
    )
    with op.batch_alter_table("resident_name", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resident_name_resident_id"), ["resident_id"], unique=False)

    op.create_table(
        "offer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=36), nullable=False),
        sa.Column("mail_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("link_number", sa.Integer(), nullable=False),
        sa.Column(
            "answer",
            sa.Enum("yes", "no", "not_me", "unsubscribed", name="offeranswer", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("unsubscribed_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["contact_point_id"], ["contact_point.id"], name=op.f("fk_offer_contact_point_id")),
        sa.ForeignKeyConstraint(["mail_id"], ["offer_mail.id"], name=op.f("fk_offer_mail_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_offer_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        sa.UniqueConstraint("mail_id", "resident_id", name=op.f("uq_offer_mail_id_resident_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_offer_public_id")),
    )
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_offer_resident_id"), ["resident_id"], unique=False)

    op.create_table(
        "efaktura_agreement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=36), nullable=False),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "source",
            sa.Enum("offer", "min_side", "staff", name="agreementsource", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "activation", sa.Enum("agreement", "guide", name="activation", native_enum=False, length=40), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum("requested", "active", "declined", "ended", name="agreementstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("requested_at", sa.DateTime(), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("ask_at", sa.DateTime(), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("receipt_opened_at", sa.DateTime(), nullable=True),
        sa.Column("receipt_sent_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_efaktura_agreement_offer_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_efaktura_agreement_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_efaktura_agreement")),
        sa.UniqueConstraint("key", name=op.f("uq_efaktura_agreement_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_efaktura_agreement_public_id")),
    )
    with op.batch_alter_table("efaktura_agreement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_efaktura_agreement_ask_at"), ["ask_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_efaktura_agreement_offer_id"), ["offer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_efaktura_agreement_resident_id"), ["resident_id"], unique=False)
        batch_op.create_index(
            "uq_efaktura_agreement_open",
            ["resident_id"],
            unique=True,
            sqlite_where=sa.text("state in ('requested', 'active')"),
            postgresql_where=sa.text("state in ('requested', 'active')"),
        )

    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attempt_unsettled",
            ["channel", "opened_at"],
            unique=False,
            sqlite_where=sa.text("outcome IS NULL OR outcome IN ('uncertain', 'unavailable')"),
            postgresql_where=sa.text("outcome IS NULL OR outcome IN ('uncertain', 'unavailable')"),
        )

    with op.batch_alter_table("audit_record", schema=None) as batch_op:
        batch_op.add_column(sa.Column("details", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("link", sa.LargeBinary(length=34), nullable=True))

    with op.batch_alter_table("contact_point", schema=None) as batch_op:
        batch_op.add_column(sa.Column("value_folded", sa.String(length=254), nullable=True))
        batch_op.create_index(batch_op.f("ix_contact_point_value_folded"), ["value_folded"], unique=False)

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_held",
            ["hold", "changed_at", "invoice_id"],
            unique=False,
            sqlite_where=sa.text("state = 'held'"),
            postgresql_where=sa.text("state = 'held'"),
        )
        batch_op.create_index(
            "ix_delivery_in_transit",
            ["channel", "changed_at", "invoice_id"],
            unique=False,
            sqlite_where=sa.text("state = 'in_transit'"),
            postgresql_where=sa.text("state = 'in_transit'"),
        )
        batch_op.create_index(
            "ix_delivery_retried",
            ["channel", "changed_at", "invoice_id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting' AND tries > 0"),
            postgresql_where=sa.text("state = 'waiting' AND tries > 0"),
        )

    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index(
            "ix_invoice_open_due",
            ["due_on", "id"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )



def downgrade() -> None:
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_invoice_open_due",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_delivery_retried",
            sqlite_where=sa.text("state = 'waiting' AND tries > 0"),
            postgresql_where=sa.text("state = 'waiting' AND tries > 0"),
        )
        batch_op.drop_index(
            "ix_delivery_in_transit",
            sqlite_where=sa.text("state = 'in_transit'"),
            postgresql_where=sa.text("state = 'in_transit'"),
        )
        batch_op.drop_index(
            "ix_delivery_held", sqlite_where=sa.text("state = 'held'"), postgresql_where=sa.text("state = 'held'")
        )

    with op.batch_alter_table("contact_point", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_point_value_folded"))
        batch_op.drop_column("value_folded")

    with op.batch_alter_table("audit_record", schema=None) as batch_op:
        batch_op.drop_column("link")
        batch_op.drop_column("details")

    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_attempt_unsettled",
            sqlite_where=sa.text("outcome IS NULL OR outcome IN ('uncertain', 'unavailable')"),
            postgresql_where=sa.text("outcome IS NULL OR outcome IN ('uncertain', 'unavailable')"),
        )

    with op.batch_alter_table("efaktura_agreement", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_efaktura_agreement_open",
            sqlite_where=sa.text("state in ('requested', 'active')"),
            postgresql_where=sa.text("state in ('requested', 'active')"),
        )
        batch_op.drop_index(batch_op.f("ix_efaktura_agreement_resident_id"))
        batch_op.drop_index(batch_op.f("ix_efaktura_agreement_offer_id"))
        batch_op.drop_index(batch_op.f("ix_efaktura_agreement_ask_at"))

    op.drop_table("efaktura_agreement")
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_offer_resident_id"))

    op.drop_table("offer")
    with op.batch_alter_table("resident_name", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resident_name_resident_id"))

    op.drop_table("resident_name")
    with op.batch_alter_table("owed_notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_owed_notice_due_at"))

    op.drop_table("owed_notice")
    with op.batch_alter_table("offer_mail", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_offer_mail_waiting",
            sqlite_where=sa.text("state in ('waiting', 'sending')"),
            postgresql_where=sa.text("state in ('waiting', 'sending')"),
        )
        batch_op.drop_index(batch_op.f("ix_offer_mail_address"))

    op.drop_table("offer_mail")
    op.drop_table("staff_member")
    op.drop_table("resident_count")
    op.drop_table("refusal_count")
    op.drop_table("offer_count")
    op.drop_table("mandate_count")
    op.drop_table("invoice_count")
    op.drop_table("counting")
    op.drop_table("channel_provider")
    op.drop_table("campaign")
    op.drop_table("audit_head")
