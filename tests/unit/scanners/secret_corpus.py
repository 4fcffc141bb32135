"""Texts with and without secrets, made at run time from templates: nothing like a secret is stored."""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from bot.scanners.secret_rules import SecretRule
from bot.scanners.secret_samples import fill

Dice = random.Random
ALNUM = string.ascii_letters + string.digits


class Case(NamedTuple):
    """Hold a text, the name of its file, and the class that it is counted in."""

    kind: str
    text: str
    path: str


def pick(dice: Dice, alphabet: str, least: int, most: int) -> str:
    return "".join(dice.choices(alphabet, k=dice.randint(least, most)))


WORDS = [
    "amber",
    "breeze",
    "castle",
    "dragon",
    "ember",
    "falcon",
    "garden",
    "harbor",
    "island",
    "jungle",
    "kernel",
    "lantern",
    "meadow",
    "nickel",
    "ocean",
    "pepper",
    "quartz",
    "river",
    "silver",
    "thunder",
    "umber",
    "velvet",
    "willow",
    "yonder",
    "zephyr",
    "copper",
    "winter",
    "summer",
    "rocket",
    "tiger",
    "planet",
    "coffee",
]

#: How machines and people make secrets.
VALUES: dict[str, Callable[[Dice], str]] = {
    "letters and digits": lambda d: pick(d, ALNUM, 16, 40) + d.choice(string.digits),
    "hexadecimal": lambda d: pick(d, "0123456789abcdef", 1, 1) + pick(d, "0123456789abcdef", 31, 63),
    "base64": lambda d: base64.b64encode(d.randbytes(d.choice([18, 24, 32, 48]))).decode(),
    "base64url": lambda d: base64.urlsafe_b64encode(d.randbytes(32)).decode().rstrip("="),
    "letters": lambda d: pick(d, string.ascii_letters, 14, 24),
}
PASSWORDS: dict[str, Callable[[Dice], str]] = {
    **VALUES,
    "small letters": lambda d: pick(d, string.ascii_lowercase, 12, 20),
    "signs": lambda d: pick(d, ALNUM + "!#%*+-.:=?@^_~", 10, 20) + d.choice("!#*?") + d.choice(string.digits),
    "word and number": lambda d: d.choice(WORDS).title() + str(d.randint(1900, 2099)) + d.choice("!?#*"),
    "words": lambda d: "-".join(d.sample(WORDS, 4)),
    "leet": lambda d: (
        d.choice(WORDS).translate(str.maketrans("aeios", "4310$"))
        + d.choice(WORDS).title()
        + str(d.randint(10, 99))
    ),
}
KEYS = (
    "api_key",
    "apiKey",
    "API_KEY",
    "secret",
    "client_secret",
    "clientSecret",
    "auth_token",
    "accessToken",
    "SECRET_KEY",
    "access_key",
    "private_token",
    "signingKey",
    "JWT_SECRET",
    "encryption_key",
    "service_token",
    "webhookSecret",
)
PASSWORD_KEYS = (
    "password",
    "PASSWORD",
    "passwd",
    "db_password",
    "dbPassword",
    "DB_PASSWORD",
    "admin_pwd",
    "userPassword",
    "passphrase",
    "SMTP_PASS",
    "root_password",
    "spring_datasource_password",
)

#: Where a value is assigned to a name, by file. {k} and {v} stand for them, {e} for the value escaped for JSON.
PLACES: dict[str, Sequence[str]] = {
    "app.py": ('{k} = "{v}"', "    {k}='{v}',", 'os.environ["{k}"] = "{v}"', 'cfg = {{"{k}": "{v}"}}', '{k}: str = "{v}"',
        'os.getenv("{k}", "{v}")', 'def connect({k}="{v}"):', '# {k} = "{v}"', 'x = dict({k}="{v}")'),
    "app.js": ("const {k} = '{v}';", '  {k}: "{v}",', "process.env.{k} || '{v}'", "module.exports.{k} = `{v}`;", '"{k}":"{v}"'),
    "app.ts": ("export const {k}: string = '{v}';", "private readonly {k} = '{v}';"),
    "App.java": ('private static final String {k} = "{v}";', 'props.put("{k}", "{v}");', 'builder.{k}("{v}")'),
    "main.go": ('{k} := "{v}"', '\t{k}: "{v}",', 'os.Setenv("{k}", "{v}")', "const {k} = `{v}`"),
    "app.rb": ('{k} = "{v}"', ":{k} => '{v}',", "{k}: '{v}'", "ENV['{k}'] ||= '{v}'"),
    "app.php": ("define('{k}', '{v}');", "'{k}' => '{v}',", "${k} = '{v}';", 'putenv("{k}={v}");'),
    "App.cs": ('string {k} = "{v}";', 'public const string {k} = @"{v}";'),
    "app.rs": ('let {k} = "{v}";', 'const {k}: &str = "{v}";'),
    "App.kt": ('val {k} = "{v}"', 'var {k}: String = "{v}"'),
    "main.tf": ('  {k} = "{v}"',),
    "config.json": ('  "{k}": "{e}",', '{{"a":{{"{k}":"{e}"}}}}'),
    "config.yaml": ("{k}: {v}", '  {k}: "{v}"', "  - {k}: '{v}'", "    - name: {k}\n      value: \"{v}\""),
    "config.toml": ('{k} = "{v}"', "{k} = '{v}'"),
    ".env": ("{k}={v}", 'export {k}="{v}"', "{k}='{v}'", "# {k}={v}"),
    "app.properties": ("{k}={v}", "a.b.{k} = {v}"),
    "settings.ini": ("{k} = {v}", "{k}={v}"),
    "web.config": ('<add key="{k}" value="{v}" />', "<{k}>{v}</{k}>"),
    "deploy.sh": ('export {k}="{v}"', "{k}='{v}' ./run", "docker run -e {k}={v}"),
    "Dockerfile": ("ENV {k}={v}", 'ARG {k}="{v}"'),
    "notes.md": ("Set `{k}` = `{v}`", '```\n{k} = "{v}"\n```'),
    "deploy.ps1": ('${k} = "{v}"', '$env:{k} = "{v}"'),
}  # fmt: skip


def around(text: str, dice: Dice) -> str:
    """Return *text* among ordinary lines, in one of several file formats."""
    before = "\n".join(dice.choices(ORDINARY, k=dice.randint(0, 4)))
    after = "\n".join(dice.choices(ORDINARY, k=dice.randint(0, 4)))
    whole = "\n".join(part for part in (before, text, after) if part)
    return dice.choice((whole, whole, whole + "\n", whole.replace("\n", "\r\n")))


ORDINARY = ("import os", "# nothing to see", "x = compute(y, 12)", "", "    return value", "for item in items:", "{", "}",
    "name: service", "version: 1.2.3", 'log.info("started %s", name)', "https://gitlab.internal/group/project")  # fmt: skip


def assigned(dice: Dice) -> Iterator[Case]:
    """Yield secrets without a shape of their own, in all places that they are assigned in."""
    for keys, values in ((KEYS, VALUES), (PASSWORD_KEYS, PASSWORDS)):
        for path, places in PLACES.items():
            for place in places:
                for kind, value in values.items():
                    key, secret = dice.choice(keys), value(dice)
                    text = place.format(k=key, v=secret, e=json.dumps(secret)[1:-1])
                    yield Case(
                        f"{'password' if keys is PASSWORD_KEYS else 'key'}, {kind}", around(text, dice), path
                    )


def connections(dice: Dice) -> Iterator[Case]:
    """Yield passwords in URLs, connection strings, headers and command lines."""
    templates = (
        "postgres://app:{v}@db.internal:5432/app", "DATABASE_URL=postgresql+asyncpg://app:{v}@10.0.0.3/app",
        "mongodb+srv://app:{v}@cluster0.mongodb.net/?retryWrites=true", "redis://:{v}@cache:6379/0",
        "amqp://svc:{v}@queue:5672/%2F", 'url = "mysql://root:{v}@127.0.0.1/app"', "git clone https://ci:{v}@gitlab.internal/a/b.git",
        "jdbc:mysql://db/app?user=app&password={v}", "Server=db;Database=app;User Id=sa;Password={v};Encrypt=true",
        "Data Source=db;Initial Catalog=app;uid=app;pwd={v}", 'dsn = "host=db user=app password={v} dbname=app"',
        "curl -u admin:{v} https://api.internal/", "curl --user 'admin:{v}' https://api.internal/",
        "sshpass -p {v} ssh root@host", "PGPASSWORD={v} psql -h db -U app", "mysql -h db -uroot -p{v} app",
        "docker login -u ci -p {v} registry.internal", "machine gitlab.internal login ci password {v}",
        "CREATE USER app WITH PASSWORD '{v}';", "CREATE USER 'a'@'%' IDENTIFIED BY '{v}';", "redis-cli -h cache --pass {v}",
    )  # fmt: skip
    for template in templates:
        for _ in range(6):
            value = pick(dice, ALNUM, 12, 20) + dice.choice(string.digits)
            yield Case("connection", around(template.format(v=value), dice), "deploy.sh")
    for _ in range(30):
        pair = base64.b64encode(f"{pick(dice, ALNUM, 4, 8)}:{pick(dice, ALNUM, 10, 16)}".encode()).decode()
        yield Case("basic authorization", around(f'headers["Authorization"] = "Basic {pair}"', dice), "a.js")
        yield Case(
            "registry", around(f'{{"auths": {{"r.internal": {{"auth": "{pair}"}}}}}}', dice), "config.json"
        )
        token = pick(dice, ALNUM + "-_", 32, 64)
        yield Case(
            "bearer", around(f"curl -H 'Authorization: Bearer {token}' https://api.internal", dice), "a.sh"
        )


def known(rules: Sequence[SecretRule], dice: Dice) -> Iterator[Case]:
    """Yield samples of the rules of providers as they are and in disguise."""
    for rule in rules:
        for template in rule.settings.samples:
            path = (rule.settings.paths or ("a.txt",))[0].replace("*", "x")
            if not rule.settings.generic:
                yield Case("known", around(fill(template, dice), dice), path)
                yield Case(
                    "known, on a long line", "a=1;" * 3_000 + fill(template, dice) + ";b=2" * 3_000, path
                )
                yield Case("known, indented", around("\t\t" + fill(template, dice), dice), path)
                yield Case("known, in a comment", around("// " + fill(template, dice), dice), path)
                yield Case("known, in base64", around(f'blob: "{encoded(fill(template, dice))}"', dice), path)
                yield Case(
                    "known, twice in base64",
                    around(f'blob: "{encoded(encoded(fill(template, dice)))}"', dice),
                    path,
                )


def encoded(text: str) -> str:
    return base64.b64encode(f"# settings\n{text}\n".encode()).decode()


def split(rules: Sequence[SecretRule], dice: Dice) -> Iterator[Case]:
    """Yield tokens of providers that are put together from several literals."""
    joints = (
        '"{a}" + "{b}"',
        '"{a}" +\n    "{b}"',
        '("{a}"\n "{b}")',
        '"{a}" \\\n    "{b}"',
        "'{a}' . '{b}'",
        "'{a}' +\n'{b}'",
    )
    for rule in rules:
        if rule.settings.generic or rule.settings.multiline or rule.settings.near or rule.settings.names:
            continue
        text = fill(rule.settings.samples[0], dice)
        match = rule.pattern.search(text.encode())
        secret = match.group(1 if rule.pattern.groups else 0).decode()
        if len(secret) < 20 or not secret.replace("-", "").replace("_", "").replace(".", "").isalnum():
            continue
        for joint in joints:
            cut = dice.randint(6, len(secret) - 6)
            yield Case(
                "split", around("token = " + joint.format(a=secret[:cut], b=secret[cut:]), dice), "a.py"
            )


def clean(dice: Dice) -> Iterator[Case]:
    """Yield what looks like a secret and is none."""
    hexa = lambda n: pick(dice, "0123456789abcdef", n, n)  # noqa: E731
    for _ in range(8):
        b64 = base64.b64encode(dice.randbytes(64)).decode()
        b32 = base64.b64encode(dice.randbytes(32)).decode()
        for kind, path, text in (
            ("lock file", "package-lock.json", f'"integrity": "sha512-{b64}",'),
            ("lock file", "yarn.lock", f'  resolved "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#{hexa(40)}"\n  integrity sha512-{b64}'),
            ("lock file", "go.sum", f"github.com/a/token v1.2.3 h1:{b32}\ngithub.com/a/password v1.2.3/go.mod h1:{b32}"),
            ("lock file", "poetry.lock", f'    {{file = "token_utils-1.0.whl", hash = "sha256:{hexa(64)}"}},'),
            ("lock file", "Cargo.lock", f'name = "secrecy"\nchecksum = "{hexa(64)}"'),
            ("lock file", "requirements.txt", f"keyring==24.0 \\\n    --hash=sha256:{hexa(64)}"),
            ("hash", "a.py", f'SHA256 = "{hexa(64)}"'),
            ("hash", "a.yaml", f"image: registry.internal/app@sha256:{hexa(64)}"),
            ("hash", ".gitmodules", f"commit {hexa(40)}"),
            ("hash", "a.py", f'password_hash = "{hexa(64)}"'),
            ("hash", "a.py", f'token_fingerprint = "{":".join(hexa(2) for _ in range(20))}"'),
            ("uuid", "a.py", f'tenant_id = "{uuid.UUID(int=dice.getrandbits(128), version=4)}"'),
            ("uuid", "a.json", f'"secret_id": "{uuid.UUID(int=dice.getrandbits(128), version=4)}"'),
            ("data URI", "a.css", f"background: url(data:image/png;base64,iVBORw0KGgo{b64}{b64})"),
            ("source map", "a.js.map", '{"version":3,"mappings":"' + ";".join(pick(dice, ALNUM, 4, 8) for _ in range(80)) + '"}'),
            ("public key", "a.pub", f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{b64.replace('=', '')} me@host"),
            ("public key", "a.pem", f"-----BEGIN PUBLIC KEY-----\n{b64}\n-----END PUBLIC KEY-----"),
            ("certificate", "a.pem", f"-----BEGIN CERTIFICATE-----\n{b64}\n{b64}\n-----END CERTIFICATE-----"),
            ("minified", "a.min.js", "function t(e,n){return e.token=n.password||n.secret,e.key=t.apiKey?r(e):i(n)}" * 20),
            ("page token", "a.json", f'"nextPageToken": "{b32}",'),
            ("public value", "a.js", f'publicKey: "{b32}",'),
        ):  # fmt: skip
            yield Case(f"clean, {kind}", around(text, dice), path)
    for path, places in PLACES.items():
        for place in places:
            for kind, values in QUIET.items():
                key, value = dice.choice((*KEYS, *PASSWORD_KEYS)), dice.choice(values)
                text = place.format(k=key, v=value, e=json.dumps(value)[1:-1])
                yield Case(f"clean, {kind}", around(text, dice), path)
    for text in PROSE:
        yield Case("clean, prose", around(text, dice), "README.md")
    for path, text in CODE:
        yield Case("clean, code", around(text, dice), path)


#: What stands where a secret would, and is none.
QUIET: dict[str, Sequence[str]] = {
    "reference": ("${SECRET}", "${{ secrets.TOKEN }}", "{{ vault.password }}", "$(cat /run/secret)", "$DB_PASSWORD", "%(password)s",
        "<your-password>", "#{ENV['TOKEN']}", "{{password}}", "${env:API_KEY}", "vault:secret/data/app#password", "@@TOKEN@@",
        "ssm:/prod/app/password", "projects/p/secrets/db/versions/1", "%TOKEN%", "process.env.TOKEN", "ref+vault://a/b"),
    "placeholder": ("changeme", "CHANGE_ME", "your-api-key", "YOUR_API_KEY_HERE", "xxxxxxxxxxxxxxxx", "********", "password", "secret",
        "example", "placeholder", "insert-your-token-here", "TODO", "none", "null", "dummy-token", "test", "foobar", "REDACTED",
        "my-secret-password", "abcdefghijklmnop", "1234567890", "0000000000000000", "aaaaaaaaaaaaaaaa", "replace-me", "..."),
    "name": ("application/json", "database_password", "access_token", "client_credentials", "Kennwort", "password-reset", "bearer",
        "user.password.label", "AuthenticationError", "refresh_token_expired", "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "/run/secrets/db_password", "config/master.key", "kubernetes.io/service-account-token", "required", "string", "utf-8"),
}  # fmt: skip
PROSE = ("The password must have at least 12 characters.", "Set the token: see https://docs.gitlab.internal/api#tokens",
    "Rotate secrets every 90 days (secret rotation: mandatory).", "passwords: see the vault, not this file",
    "An AWS key id starts with AKIA and is followed by 16 characters.", "Use `ghp_...` tokens only in CI.", "sk_test_ is the prefix",
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AKIAIOSFODNN7EXAMPLE", "postgres://user:password@localhost/db",
    "export GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "curl -u user:password https://example.com",
    "Authorization: Bearer <token>", "Authorization: Basic dXNlcjpwYXNzd29yZA==", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----")  # fmt: skip
CODE = (
    ("a.py", "password = getpass.getpass('Password: ')"), ("a.py", "token = request.headers['X-Token']"),
    ("a.py", "api_key = os.environ['API_KEY']"), ("a.py", "secret = secrets.token_urlsafe(32)"),
    ("a.py", "TOKEN_RE = re.compile(r'[A-Za-z0-9]{20,40}')"), ("a.py", "assert token.kind == 'IDENTIFIER_2'"),
    ("a.py", "parser.add_argument('--password', help='the password')"), ("a.py", "raise ValueError('password: too short')"),
    ("a.ts", "password: FormControl<string>;"), ("a.ts", "const token = await this.auth.getToken('refresh-1');"),
    ("a.html", "<input type='password' name='password1' id='id_password1' class='form-control-2'>"),
    ("a.html", "<label for='password2'>Password</label>"), ("a.java", "private String password;"),
    ("a.java", "@Value(\"${app.password}\") String password;"), ("a.go", "Password string `json:\"password,omitempty\"`"),
    ("a.sql", "ALTER TABLE users ADD COLUMN password_digest VARCHAR(255);"), ("de.json", '"password": "Kennwort2"'),
    ("a.yaml", "passwordSecretRef:\n  name: db-credentials-1\n  key: password"), ("a.yaml", "secretName: tls-cert-2024"),
    ("a.tf", "password = var.db_password"), ("a.tf", "password = random_password.db.result"), ("a.rb", "password = params[:password]"),
    ("a.sh", 'TOKEN="$(vault kv get -field=token secret/app)"'), ("a.sh", "read -s -p 'Password: ' PASSWORD"),
    ("a.css", ".password-field{width:12px}"), ("a.swift", "let tokenKey = \"com.app.tokenKey\""),
    ("a.yml", "image: postgres:15\nenvironment:\n  POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?required}"),
)  # fmt: skip


def secrets(rules: Sequence[SecretRule], seed: int) -> list[Case]:
    """Return texts that each hold a secret."""
    dice = random.Random(seed)
    return [*assigned(dice), *connections(dice), *known(rules, dice), *split(rules, dice)]


def innocents(seed: int) -> list[Case]:
    """Return texts that hold none."""
    return list(clean(random.Random(seed)))
