"""Keys in files and the vault: numbers come back only for their row, and are found without being opened."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.crypto import KeyRing, KeysUnusable, NationalIdUnreadable, NationalIdVault, vault
from app.core.errors import SettingsInvalid
from app.core.settings import Environment, load_settings

OLD, NEW, INDEX, OTHER_INDEX = (bytes([fill]) * 32 for fill in range(1, 5))
VAULT = NationalIdVault(KeyRing([(1, OLD)]), KeyRing([(7, INDEX)]))
NUMBER = "02013299997"
NUMBERS = st.text("0123456789", min_size=11, max_size=11)


def line(key_id: int, key: bytes) -> str:
    return f"{key_id}:{base64.b64encode(key).decode()}\n"


@given(NUMBERS, st.text(max_size=40))
def test_a_number_comes_back_for_its_own_row(number: str, row: str) -> None:
    blob = VAULT.encrypt(number, row=row)
    assert len(blob) == 41
    assert number.encode() not in blob
    assert VAULT.decrypt(blob, row=row) == number


def test_a_blob_moved_to_another_row_does_not_open() -> None:
    blob = VAULT.encrypt(NUMBER, row="1")
    with pytest.raises(NationalIdUnreadable):
        VAULT.decrypt(blob, row="2")


@given(st.integers(0, 40), st.integers(1, 255))
def test_every_changed_byte_is_noticed(position: int, flip: int) -> None:
    blob = bytearray(VAULT.encrypt(NUMBER, row="1"))
    blob[position] ^= flip
    with pytest.raises(NationalIdUnreadable):
        VAULT.decrypt(bytes(blob), row="1")


@pytest.mark.parametrize("length", [0, 1, 2, 9, 14, 40])
def test_a_blob_cut_short_is_noticed(length: int) -> None:
    with pytest.raises(NationalIdUnreadable):
        VAULT.decrypt(VAULT.encrypt(NUMBER, row="1")[:length], row="1")


def test_equal_numbers_are_encrypted_differently() -> None:
    assert VAULT.encrypt(NUMBER, row="1") != VAULT.encrypt(NUMBER, row="1")


@given(NUMBERS, NUMBERS)
def test_blind_indexes_are_equal_for_equal_numbers_alone(one: str, two: str) -> None:
    assert len(VAULT.blind_index(one)) == 34
    assert (VAULT.blind_index(one) == VAULT.blind_index(two)) is (one == two)


def test_the_blind_index_depends_on_its_key() -> None:
    other = NationalIdVault(KeyRing([(1, OLD)]), KeyRing([(7, OTHER_INDEX)]))
    assert other.blind_index(NUMBER) != VAULT.blind_index(NUMBER)


def test_a_key_change_keeps_old_numbers_readable_and_findable() -> None:
    during = NationalIdVault(KeyRing([(1, OLD), (2, NEW)]), KeyRing([(7, INDEX), (8, OTHER_INDEX)]))
    blob = VAULT.encrypt(NUMBER, row="1")
    assert during.decrypt(blob, row="1") == NUMBER
    assert not during.is_current(blob)
    assert during.is_current(during.encrypt(NUMBER, row="1"))
    assert during.blind_indexes(NUMBER) == [VAULT.blind_index(NUMBER), during.blind_index(NUMBER)]


def test_a_number_whose_key_is_gone_says_so() -> None:
    after = NationalIdVault(KeyRing([(2, NEW)]), KeyRing([(7, INDEX)]))
    with pytest.raises(NationalIdUnreadable, match="key"):
        after.decrypt(VAULT.encrypt(NUMBER, row="1"), row="1")


@pytest.mark.parametrize("number", ["", "020132 99997", "0201329999", "٠٢٠١٣٢٩٩٩٩٧"])
def test_only_eleven_digits_go_in(number: str) -> None:
    with pytest.raises(ValueError, match="eleven digits") as caught:
        VAULT.encrypt(number, row="1")
    assert not number or number not in str(caught.value)
    with pytest.raises(ValueError, match="eleven digits"):
        VAULT.blind_index(number)


def test_keys_do_not_show() -> None:
    ring = KeyRing([(1, OLD), (2, NEW)])
    assert repr(ring) == "KeyRing(ids=[1, 2])"
    assert "\\x01" not in repr(VAULT)


def test_a_ring_reads_its_file_newest_last(tmp_path: Path) -> None:
    path = tmp_path / "national-id-index.keys"
    path.write_text(f"# changed in 2026\n{line(3, OLD)}\n{line(65535, NEW)}")
    ring = KeyRing.load(path)
    assert dict(ring.keys) == {3: OLD, 65535: NEW}
    assert ring.newest_id == 65535
    assert ring.secrets == (base64.b64encode(OLD).decode(), base64.b64encode(NEW).decode())


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no key"),
        ("# nothing\n", "no key"),
        (line(1, OLD) + line(1, NEW), "same id"),
        (line(65536, OLD), "65535"),
        (line(1, b"short"), "32 bytes"),
        (line(1, OLD) + "secret-without-id\n", "line 2"),
        ("1:!!secret!!\n", "line 1"),
        ("1:sécret\n", "line 1"),
        ("-1:" + line(1, OLD), "line 1"),
    ],
)
def test_an_unusable_key_file_is_named_and_not_quoted(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "links.keys"
    path.write_text(content)
    with pytest.raises(KeysUnusable, match=complaint) as caught:
        KeyRing.load(path)
    assert "links.keys" in str(caught.value)
    assert "cret" not in str(caught.value)


def test_a_missing_key_file_is_not_made_by_loading(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KeyRing.load(tmp_path / "links.keys")


def test_a_made_key_file_is_private_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "links.keys"
    made = KeyRing.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KeyRing.create(path).secrets == made.secrets == KeyRing.load(path).secrets
    assert KeyRing.create(tmp_path / "session.keys").secrets != made.secrets


def _create(path: Path) -> tuple[str, ...]:
    return KeyRing.create(path).secrets


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.keys" for number in range(20)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        one = list(processes.map(_create, paths))
        two = list(processes.map(_create, [path for path in paths for _ in range(2)]))
    assert two[::2] == one
    assert two[1::2] == one


def test_an_installation_keeps_its_keys_between_starts(tmp_path: Path) -> None:
    settings = load_settings(_env_file=None, instance_dir=tmp_path / "instance")
    blob = vault(settings).encrypt(NUMBER, row="1")
    again = vault(settings)
    assert again.decrypt(blob, row="1") == NUMBER
    assert again.blind_index(NUMBER) == vault(settings).blind_index(NUMBER)
    assert stat.S_IMODE(settings.keys_dir.stat().st_mode) == 0o700


def test_production_makes_no_key_of_its_own(tmp_path: Path) -> None:
    development = load_settings(instance_dir=tmp_path)
    production = development.model_copy(update={"environment": Environment.PRODUCTION})
    with pytest.raises(SettingsInvalid, match=r"national-id-encryption\.keys is missing"):
        vault(production)
    blob = vault(development).encrypt(NUMBER, row="1")
    assert vault(production).decrypt(blob, row="1") == NUMBER


def test_a_damaged_key_file_is_named_with_its_line_and_without_its_key(tmp_path: Path) -> None:
    settings = load_settings(instance_dir=tmp_path)
    vault(settings)
    (settings.keys_dir / "national-id-index.keys").write_text("1:secret\n")
    with pytest.raises(SettingsInvalid, match=r"national-id-index.keys, line 1: not base64") as caught:
        vault(settings)
    assert "secret" not in str(caught.value)
