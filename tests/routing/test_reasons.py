"""Every reason can be said to the one it concerns, in each of the three languages."""

from __future__ import annotations

import pytest

from app.core.language import sentence, translated
from app.routing.channels import Reason
from app.routing.reasons import SENTENCES


def test_each_reason_has_its_sentence_and_no_sentence_is_left_over() -> None:
    assert set(SENTENCES) == {reason.value for reason in Reason}
    assert len(set(SENTENCES.values())) == len(SENTENCES)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("locale", ["nb", "nn", "en"])
def test_a_sentence_is_a_whole_sentence_in_each_language(reason: Reason, locale: str) -> None:
    text = sentence(reason, locale)
    assert text[0].isupper()
    assert text.endswith(".")
    assert locale == "nb" or text != reason.sentence or reason in SAME_IN_NYNORSK


# The two written languages agree in these to the letter.
SAME_IN_NYNORSK = {
    Reason.WRONG_KID, Reason.WRONG_ACCOUNT, Reason.NO_MANDATE, Reason.EFAKTURA_TOO_LATE, Reason.VIPPS_TOO_LATE,
    Reason.MAILBOX_TOO_LATE, Reason.EMAIL_TOO_LATE, Reason.NOT_A_DEMAND, Reason.NEVER_EMAIL,
}  # fmt: skip


@pytest.mark.parametrize("locale", ["sv", "../nn", "", "nb"])
def test_an_unknown_language_gets_bokmal(locale: str) -> None:
    assert sentence(Reason.RESERVED, locale) == "Mottakeren har reservert seg mot digital post."


def test_a_text_without_translation_is_given_as_it_is() -> None:
    assert translated("Ingen har oversatt dette.", "en") == "Ingen har oversatt dette."
