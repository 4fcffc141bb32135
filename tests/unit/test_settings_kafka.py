"""The settings of Kafka: addresses, what must hold between them, and files with certificates."""

import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme

from bot.settings import Settings, SettingsError, load
from bot.settings_kafka import encrypted, tls_context
from bot.wiring import kafka_connection

KAFKA = {"LOG_URL": "kafka://kafka.example:9092"}
LOGIN = {"KAFKA_SASL": "scram-sha-512", "KAFKA_USER": "bot", "KAFKA_PASSWORD": "hunter2"}


def read(values: Mapping[str, str]) -> Settings:
    """Load with these variables and nothing around."""
    return load(environ=variables(values), dotenv=None).settings


def variables(values: Mapping[str, str]) -> dict[str, str]:
    """Return *values* under the names of variables."""
    return {f"CLOISTER_{name}": value for name, value in values.items()}


def problems(values: Mapping[str, str]) -> list[str]:
    """Return the lines that loading with these variables fails with."""
    with pytest.raises(SettingsError) as caught:
        read(values)
    return list(caught.value.problems)


def warnings(values: Mapping[str, str]) -> list[str]:
    """Return what loading with these variables warns about."""
    return list(load(environ=variables(values), dotenv=None).warnings)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return a certificate authority."""
    return trustme.CA()


@pytest.mark.parametrize(
    ("url", "brokers"),
    [
        ("kafka://kafka.example", "kafka.example:9092"),
        ("KAFKA://Kafka-1.Example:19092,kafka_2/", "kafka-1.example:19092,kafka_2:9092"),
        ("kafka://[::1]:9093,[fd00::2],10.0.0.3:1", "[::1]:9093,[fd00::2]:9092,10.0.0.3:1"),
        ("postgresql://db/cloister", None),
        ("", None),
    ],
)
def test_a_log_url_names_brokers(url: str, brokers: str | None):
    """Several brokers follow each other, a missing port is Kafka's usual one, no scheme but kafka means Kafka."""
    assert brokers == read({"LOG_URL": url}).kafka_bootstrap


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("kafka://", "HOST:PORT"),
        ("kafka://a:9092,,b:9092", "HOST:PORT"),
        ("kafka://a:0", "HOST:PORT"),
        ("kafka://a:65536", "HOST:PORT"),
        ("kafka://a:port", "HOST:PORT"),
        ("kafka://-a", "HOST:PORT"),
        ("kafka://[a]:1", "HOST:PORT"),
        ("kafka://[1:2]:1", "HOST:PORT"),
        ("kafka://::1:9092", "brackets"),
        ("kafka://bot:hunter2@a:9092", "CLOISTER_KAFKA_USER"),
        ("kafka://a:9092,kafka://b:9092", "more than one kafka://"),
        ("kafka://a:9092/topic", "path"),
        ("kafka://a:9092?tls=true", "query"),
        ("kafka://a:9092, b:9092", "white space"),
    ],
)
def test_a_wrong_log_url_is_told_without_quoting_it(url: str, reason: str):
    """What stands in the place of an address may be a password."""
    (line,) = problems({"LOG_URL": url})

    assert line.startswith("CLOISTER_LOG_URL (environment): ")
    assert reason in line
    assert "hunter2" not in line


@pytest.mark.parametrize("prefix", ["", ".x", "a/b", "a b", "ä", "x" * 201])
def test_a_prefix_that_no_topic_can_have_is_refused(prefix: str):
    """Kafka's rule for names of topics holds for the prefix, with room for the rest of the name."""
    with pytest.raises(ValueError, match=r"kafka_prefix[\s\S]*letters, digits"):
        Settings(kafka_prefix=prefix)

    assert read({"KAFKA_PREFIX": "team-1.cloister_x"}).kafka_prefix == "team-1.cloister_x"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://login.example/token", "https://, since the password"),
        ("ftp://login.example/token", "https:// and name a host"),
        ("https:///token", "name a host"),
        ("https://u:p@login.example/token", "CLOISTER_KAFKA_USER"),
        ("https://login.example:x/token", "is not a URL"),
    ],
)
def test_a_token_url_keeps_the_secret_secret(url: str, reason: str):
    """The client's secret goes there, so it must be encrypted unless it stays on this machine."""
    (line,) = problems({**KAFKA, "KAFKA_TOKEN_URL": url})

    assert reason in line
    assert (
        read({"KAFKA_TOKEN_URL": "http://127.0.0.1:1/token/"}).kafka_token_url == "http://127.0.0.1:1/token/"
    )


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({"KAFKA_PASSWORD": "p"}, ["KAFKA_PASSWORD: is set, but CLOISTER_KAFKA_SASL is none"]),
        (
            {"KAFKA_SASL": "PLAIN"},
            ["KAFKA_USER: is not set, but CLOISTER_KAFKA_SASL=plain", "KAFKA_PASSWORD: is not set"],
        ),
        ({**LOGIN, "KAFKA_TOKEN_FILE": "/t"}, ["KAFKA_TOKEN_FILE: is for CLOISTER_KAFKA_SASL=oauthbearer"]),
        ({"KAFKA_SASL": "oauthbearer"}, ["KAFKA_SASL: oauthbearer needs a token"]),
        (
            {"KAFKA_SASL": "oauthbearer", "KAFKA_TOKEN_URL": "https://t"},
            ["KAFKA_USER: is not set", "KAFKA_PASSWORD: is not set"],
        ),
        (
            {"KAFKA_SASL": "oauthbearer", "KAFKA_TOKEN_URL": "https://t", "KAFKA_TOKEN_FILE": "/t"},
            ["KAFKA_TOKEN_FILE: CLOISTER_KAFKA_TOKEN_URL is set too"],
        ),
        (
            {"KAFKA_SASL": "oauthbearer", "KAFKA_TOKEN_FILE": "/t", "KAFKA_PASSWORD": "p"},
            ["KAFKA_PASSWORD: is not needed with CLOISTER_KAFKA_TOKEN_FILE"],
        ),
        ({"KAFKA_CERT_FILE": "/c"}, ["KAFKA_CERT_FILE: needs its key"]),
        ({"KAFKA_KEY_FILE": "/k"}, ["KAFKA_KEY_FILE: needs its certificate"]),
        (
            {"KAFKA_TLS": "no", "KAFKA_CA_FILE": "/c"},
            ["KAFKA_CA_FILE: is set, but CLOISTER_KAFKA_TLS is off"],
        ),
    ],
)
def test_settings_that_contradict_each_other_are_told(values: dict[str, str], lines: list[str]):
    """Each line begins with the variable to change, and all come at once."""
    found = problems({**KAFKA, **values})

    assert len(lines) == len(found)
    for line, beginning in zip(found, lines, strict=True):
        assert line.startswith(f"CLOISTER_{beginning}")
        assert "; " in line


def test_without_kafka_its_settings_only_warn():
    """What has no effect cannot be wrong, but somebody may wonder."""
    assert ["CLOISTER_KAFKA_SASL (environment) has no effect: CLOISTER_LOG_URL names no Kafka"] == warnings(
        {"KAFKA_SASL": "plain"}
    )


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        ({"KAFKA_SASL": "plain"}, True),
        ({"KAFKA_SASL": "plain", "KAFKA_TLS": "true"}, False),
        ({"KAFKA_SASL": "plain", "LOG_URL": "kafka://127.0.0.1,localhost,[::1]"}, False),
        ({"KAFKA_SASL": "scram-sha-512"}, False),
    ],
)
def test_a_readable_password_is_warned_about(values: dict[str, str], warned: bool):
    """PLAIN sends the password itself; that may not be seen but on this machine."""
    found = warnings({**KAFKA, **LOGIN, **values})

    assert warned == any("can be read on the network" in line for line in found)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, False),
        ({"KAFKA_TLS": "true"}, True),
        ({"KAFKA_CA_FILE": "/ca"}, True),
        ({"KAFKA_CERT_FILE": "/c", "KAFKA_KEY_FILE": "/k"}, True),
        ({"KAFKA_TLS": "false"}, False),
    ],
)
def test_naming_an_authority_or_a_certificate_means_tls(values: dict[str, str], expected: bool):
    """Whoever names one does not want to talk in the clear."""
    assert expected == encrypted(read({**KAFKA, **values}))


def test_tls_checks_certificate_and_host(tmp_path: Path, authority: trustme.CA):
    """The context verifies, and shows our certificate."""
    authority.cert_pem.write_to_path(tmp_path / "ca")
    authority.issue_cert("bot").private_key_and_cert_chain_pem.write_to_path(tmp_path / "both")

    context = tls_context(
        Settings(
            kafka_ca_file=tmp_path / "ca", kafka_cert_file=tmp_path / "both", kafka_key_file=tmp_path / "both"
        )
    )

    assert context is not None
    assert (ssl.CERT_REQUIRED, True) == (context.verify_mode, context.check_hostname)
    assert len(context.get_ca_certs()) == 1
    assert tls_context(Settings()) is None


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("kafka_ca_file", None, "No such file or directory; name a PEM file with certificates"),
        ("kafka_ca_file", "", "no part that begins with -----BEGIN"),
        ("kafka_ca_file", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot use"),
        ("kafka_cert_file", "key", "no part that begins with -----BEGIN"),
        ("kafka_key_file", "other", "it does not belong to"),
        ("kafka_key_file", "certificate", "no part that begins with -----BEGIN"),
        ("kafka_key_file", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "the key has a passphrase"),
        ("kafka_key_file", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot use"),
    ],
)
def test_a_bad_file_is_named_with_its_variable(
    name: str, content: str | None, reason: str, tmp_path: Path, authority: trustme.CA
):
    """What OpenSSL says alone tells neither the file nor the setting."""
    ours, other = authority.issue_cert("bot"), authority.issue_cert("other")
    known = {
        "certificate": ours.cert_chain_pems[0].bytes().decode(),
        "key": ours.private_key_pem.bytes().decode(),
        "other": other.private_key_pem.bytes().decode(),
    }
    authority.cert_pem.write_to_path(tmp_path / "kafka_ca_file")
    ours.cert_chain_pems[0].write_to_path(tmp_path / "kafka_cert_file")
    ours.private_key_pem.write_to_path(tmp_path / "kafka_key_file")
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(known.get(content, content))
    files = {one: tmp_path / one for one in ("kafka_ca_file", "kafka_cert_file", "kafka_key_file")}

    with pytest.raises(SettingsError) as caught:
        tls_context(Settings(**files))

    (line,) = caught.value.problems
    assert line.startswith(f"CLOISTER_{name.upper()}: cannot use {tmp_path / name}: ")
    assert reason in line


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"security_protocol": "PLAINTEXT"}),
        ({"KAFKA_TLS": "true"}, {"security_protocol": "SSL"}),
        (
            LOGIN,
            {
                "security_protocol": "SASL_PLAINTEXT",
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": "bot",
                "sasl_plain_password": "hunter2",
            },
        ),
        (
            {"KAFKA_SASL": "oauthbearer", "KAFKA_TOKEN_FILE": "/t", "KAFKA_TLS": "1"},
            {"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER"},
        ),
    ],
)
def test_the_settings_become_arguments_of_the_client(values: dict[str, str], expected: dict[str, str]):
    """The client library gets what the settings say, and nothing shows the password."""
    connection = kafka_connection(read({**KAFKA, **values}))

    options = {name: value for name, value in connection.options().items() if isinstance(value, str)}
    assert {"bootstrap_servers": "kafka.example:9092", "client_id": "cloister", **expected} == options
    assert "hunter2" not in repr(connection)
