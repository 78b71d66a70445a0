"""Write keys are kept as digests, belong to origins, and are found whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimwell.core.errors import BadDefinition, BadQuestion, Unavailable
from aimwell.web.server.keys import KeyRing, WriteKey, digest_of, key_from_environment, key_of, new_secret, read_keys

SECRET = "a-secret-of-25-characters"


def test_a_key_is_found_by_its_whole_secret_alone() -> None:
    ring = KeyRing([key_of("one", SECRET), key_of("two", SECRET + "2")])
    assert [key.name for secret in (SECRET, SECRET + "2") if (key := ring.find(secret))] == ["one", "two"]
    for nobody in (None, "", SECRET[:-1], SECRET + " ", ring.keys[0].key_digest, "\ud800", "one"):
        assert ring.find(nobody) is None


def test_new_secrets_are_long_and_different() -> None:
    secrets = {new_secret() for _ in range(20)}
    assert len(secrets) == 20
    assert all(key_of("one", secret).key_digest == digest_of(secret) for secret in secrets)


def test_origins_let_in_the_pages_they_name_and_servers_always() -> None:
    server, page, anywhere = (
        key_of("k", SECRET, origins=origins) for origins in ([], ["https://a.example:8443"], ["*"])
    )
    assert [key.allows(None) for key in (server, page, anywhere)] == [True, True, True]
    assert [key.allows("https://a.example:8443") for key in (server, page, anywhere)] == [False, True, True]
    for other in ("https://a.example", "http://a.example:8443", "null", "https://a.example:8443.evil.example"):
        assert not page.allows(other)
        assert anywhere.allows(other)


@pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/", "https://", "ftp://a.example", "null", ""])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(BadQuestion, match="no origin"):
        key_of("one", SECRET, origins=[origin])


def test_a_key_that_everybody_can_read_is_never_trusted() -> None:
    with pytest.raises(BadQuestion, match="cannot be trusted"):
        key_of("one", SECRET, trusted=True, origins=["https://shop.example"])


def test_weak_secrets_strange_names_and_twins_are_refused() -> None:
    for secret in ("short", "with blanks in its middle", "with:colon:in:its:middle"):
        with pytest.raises(BadQuestion, match="secret"):
            key_of("one", secret)
    with pytest.raises(BadQuestion, match="cannot name"):
        key_of("Ein Name", SECRET)
    with pytest.raises(BadQuestion, match="digest"):
        WriteKey("one", SECRET)
    with pytest.raises(BadQuestion, match="same name"):
        KeyRing([key_of("one", SECRET), key_of("one", SECRET + "2")])
    with pytest.raises(BadQuestion, match="same key_digest"):
        KeyRing([key_of("one", SECRET), key_of("two", SECRET)])


def test_a_secret_comes_from_the_environment_or_is_missed_by_name() -> None:
    found = key_from_environment("crm", "CRM_KEY", trusted=True, environment={"CRM_KEY": SECRET})
    assert (found.key_digest, found.trusted) == (digest_of(SECRET), True)
    with pytest.raises(Unavailable, match="CRM_KEY"):
        key_from_environment("crm", "CRM_KEY", environment={})


def test_a_file_holds_digests_and_tells_all_its_problems_at_once(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(
        f'[crm]\nkey_digest = "{digest_of(SECRET)}"\ntrusted = true\n'
        f'[page]\nkey_digest = "{digest_of("other")}"\norigins = ["https://shop.example"]\n'
    )
    crm, page = read_keys(file)
    assert (crm.name, crm.trusted, page.trusted, page.origins) == ("crm", True, False, ("https://shop.example",))
    file.write_text(f'a = 1\n[b]\nkey_digest = "{SECRET}"\n[c]\nkey = "{SECRET}"\n[d]\nkey_digest = 7\n')
    with pytest.raises(BadDefinition) as caught:
        read_keys(file)
    assert len(caught.value.problems) == 4
    assert SECRET not in str(caught.value)
    file.write_text("[")
    with pytest.raises(BadDefinition):
        read_keys(file)


def test_no_key_has_the_name_under_which_rehearsals_write() -> None:
    with pytest.raises(BadQuestion, match="cannot name a write key"):
        key_of("simulation", "a-secret-that-is-long-enough")
