"""The container files are pinned, contained and complete, and speak of what Cloister knows."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from bot import __version__
from bot.cli.serve import STAGES
from bot.settings import Settings, load, secret_names
from bot.settings_sources import variable
from tests.commands import parsed

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
OURS = f"cloister:{__version__}"

#: What each command cannot start without.
NEEDED = {
    "up": ("gitlab_url", "gitlab_token", "webhook_secret"),
    "web": ("gitlab_url", "webhook_secret", "database_url", "log_url", "model_url"),
    "consume": ("gitlab_url", "gitlab_token", "database_url", "log_url", "model_url"),
    "kafka": ("log_url",),
    "db": ("database_url",),
}
SAMPLES = {"gitlab_token": "glpat-example", "database_url": "postgresql://cloister:example@postgres/cloister"}

Service = dict[str, Any]


def compose(name: str) -> dict[str, Any]:
    """Return a Compose file as it is read where no variable is set."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (DEPLOY / name).read_text())
    content: dict[str, Any] = yaml.safe_load(text.replace("$$", "$"))
    return content


FILES = {name: compose(name) for name in ("compose.yaml", "compose.embedded.yaml")}
SERVICES = {
    f"{file}:{name}": service
    for file, content in FILES.items()
    for name, service in content["services"].items()
}
each_file = pytest.mark.parametrize("file", FILES.values(), ids=FILES)
each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def ours(services: dict[str, Service]) -> dict[str, Service]:
    """Return the services that run Cloister's image."""
    return {name: service for name, service in services.items() if service["image"] == OURS}


each_of_ours = pytest.mark.parametrize("service", ours(SERVICES).values(), ids=ours(SERVICES))


def ends_by_itself(service: Service) -> bool:
    """Say whether a service does one thing and ends."""
    return bool(service["restart"] == "no")


def commands(service: Service) -> list[list[str]]:
    """Return the arguments of `cloister` in the order in which the container runs it."""
    if "entrypoint" not in service:
        return [service["command"]]
    (script,) = service["command"]
    lines = [shlex.split(line) for line in script.split("&&")]
    assert all(words[0] == "cloister" for words in lines)
    return [words[1:] for words in lines]


def environment(service: Service, folder: Path) -> dict[str, str]:
    """Return the variables in a container, with its secrets as files in *folder*."""
    given = {
        name: value for name, value in dotenv_values(DEPLOY / "example.env").items() if value is not None
    }
    given |= dict(re.findall(r"^ +(CLOISTER_\w+)=(\S+)", DOCKERFILE, re.MULTILINE))
    given |= service["environment"]
    for name, path in given.items():
        if name.endswith("_FILE") and str(path).startswith("/run/secrets/"):
            secret = folder / Path(path).name
            secret.write_text(SAMPLES.get(secret.name, "0123456789abcdef"))
            given[name] = str(secret)
    return given


@each_service
def test_images_are_pinned(service: Service):
    """A tag that names one version; ours is this one."""
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.?\d*(-\w+)?", service["image"])
    assert not service["image"].startswith("cloister:") or service["image"] == OURS


@each_service
def test_services_are_contained(service: Service):
    """No capability, no new privileges, nothing written but to volumes and memory, nothing of the host's."""
    assert ["ALL"] == service["cap_drop"]
    assert ["no-new-privileges:true"] == service["security_opt"]
    assert service["read_only"] is True
    assert "/tmp" in [mount.partition(":")[0] for mount in service["tmpfs"]]
    refused = {
        "cap_add",
        "privileged",
        "devices",
        "pid",
        "ipc",
        "uts",
        "userns_mode",
        "network_mode",
        "cgroup",
    }
    assert set() == refused & set(service)
    binds = [mount for mount in service.get("volumes", []) if mount.startswith((".", "/", "~"))]
    assert binds in ([], ["./certs:/certs:ro"])


@each_service
def test_services_have_a_health_check_unless_they_end_by_themselves(service: Service):
    """Compose waits for the first kind to be healthy and restarts it, and runs the second kind once."""
    health = service["healthcheck"]
    if ends_by_itself(service):
        assert {"disable": True} == health
        return
    assert "unless-stopped" == service["restart"]
    assert "CMD" == health["test"][0]
    assert {"interval", "timeout", "start_period", "start_interval", "retries"} < set(health)


@each_of_ours
def test_running_work_may_finish(service: Service):
    """The consumers take up to 25 s to stop, the receiver 5 s."""
    assert int(service["stop_grace_period"].removesuffix("s")) >= 35


@each_file
def test_one_service_is_published(file: dict[str, Any]):
    """Webhooks come in at one place, by default from this machine alone."""
    (published,) = [service for service in file["services"].values() if "ports" in service]
    assert ["127.0.0.1:8080:8080"] == published["ports"]
    assert published["command"] in (["web"], ["up"])


@each_file
def test_only_cloister_reaches_other_machines(file: dict[str, Any]):
    """The others have no way out; what downloads the model does not run unasked."""
    assert {"inside": {"internal": True}, "outside": {}} == file["networks"]
    others = {name for name, service in file["services"].items() if "outside" in service["networks"]}
    assert {"model"} == others - set(ours(file["services"]))
    assert ["model"] == file["services"]["model"]["profiles"]


@each_file
def test_what_services_name_is_declared_and_used(file: dict[str, Any]):
    """Networks, volumes, secrets and other services."""
    services = file["services"].values()
    mounts = [mount.partition(":")[0] for service in services for mount in service.get("volumes", [])]
    named = {
        "networks": {name for service in services for name in service["networks"]},
        "volumes": {name for name in mounts if not name.startswith(".")},
        "secrets": {name for service in services for name in service.get("secrets", [])},
    }
    assert {kind: set(file[kind]) for kind in named} == named
    assert {name for service in services for name in service.get("depends_on", {})} <= set(file["services"])


@each_service
def test_secrets_are_files_that_the_service_is_given(service: Service):
    """Each service has those that it reads and no other."""
    read = [path for path in service.get("environment", {}).values() if str(path).startswith("/run/secrets/")]
    assert sorted(f"/run/secrets/{name}" for name in service.get("secrets", [])) == sorted(read)


@each_of_ours
def test_commands_exist(service: Service):
    """Each is read by the command line without complaint."""
    for words in commands(service):
        parsed(words)


@each_of_ours
def test_settings_are_complete(service: Service, tmp_path: Path):
    """With the example and its secrets a service has what its commands need, and nothing odd."""
    loaded = load(environ=environment(service, tmp_path), dotenv=None)
    assert () == loaded.warnings
    loaded.settings.require(*(name for words in commands(service) for name in NEEDED[words[0]]))


@each_of_ours
def test_state_is_on_a_volume(service: Service, tmp_path: Path):
    """Those that fetch code or have a database keep it."""
    keeps = service["command"][0] in ("up", "consume")
    data = str(load(environ=environment(service, tmp_path), dotenv=None).settings.data_dir)
    mounted = [mount.split(":")[1] for mount in service["volumes"] if not mount.startswith(".")]
    assert ([data] if keeps else []) == mounted


def test_every_stage_is_consumed_once():
    """By some service of the distributed mode."""
    words = [
        words for service in ours(FILES["compose.yaml"]["services"]).values() for words in commands(service)
    ]
    consumed = [stage for line in words if line[0] == "consume" for stage in line[1 : line.index("--listen")]]
    assert sorted(STAGES) == sorted(consumed)


def test_consumers_listen_where_the_health_check_asks():
    """They listen nowhere by themselves."""
    for service in ours(FILES["compose.yaml"]["services"]).values():
        if service["command"][0] == "consume":
            assert ["--listen", "0.0.0.0:8080"] == service["command"][-2:]
            assert ["CMD", "healthcheck"] == service["healthcheck"]["test"]


def test_variables_exist():
    """Each `CLOISTER_...` is a setting, or the file of a secret one."""
    texts = [path.read_text() for path in DEPLOY.iterdir() if path.is_file()]
    named = {name for text in texts for name in re.findall(r"CLOISTER_\w+", text)}
    settings = {variable(name) for name in Settings.model_fields}
    assert set() == named - settings - {f"{variable(name)}_FILE" for name in secret_names()}


def test_defaults_are_those_of_cloister():
    """Where a Compose file or the example repeats one."""
    compose_files = "".join((DEPLOY / name).read_text() for name in FILES)
    example = (DEPLOY / "example.env").read_text()
    defaults = {variable(name): str(field.default) for name, field in Settings.model_fields.items()}
    repeated = re.findall(r"\$\{(CLOISTER_\w+):-([^}]*)\}", compose_files)
    repeated += re.findall(r"^#(CLOISTER_\w+)=(.*)$", example, re.MULTILINE)
    chosen = {
        *("CLOISTER_GITLAB_CA_FILE", "CLOISTER_MODEL_URL", "CLOISTER_MODEL_CONTEXT_TOKENS"),
        *("CLOISTER_PUBLIC_URL", "CLOISTER_OAUTH_CLIENT_ID"),
    }
    assert [] == [(name, value) for name, value in repeated if name not in chosen and value != defaults[name]]


def test_the_example_holds_no_secret():
    """Not even as a place to put one."""
    named = set(re.findall(r"CLOISTER_\w+", (DEPLOY / "example.env").read_text()))
    assert set() == named & {variable(name) for name in secret_names()}


def test_graphics_cards_are_given_to_a_service_that_exists():
    """In both modes."""
    for file in FILES.values():
        assert set(compose("compose.gpu.yaml")["services"]) <= set(file["services"])


@pytest.mark.parametrize(
    ("name", "file", "service"),
    [
        ("compose.signin.yaml", "compose.yaml", "web"),
        ("compose.embedded.signin.yaml", "compose.embedded.yaml", "cloister"),
    ],
)
def test_signing_in_is_added_to_the_service_with_the_pages(name: str, file: str, service: str):
    """With a secret that is declared and given to it as a file."""
    added = compose(name)
    (secret,) = added["secrets"]
    assert {service} == set(added["services"]) <= set(FILES[file]["services"])
    assert [secret] == added["services"][service]["secrets"]
    assert {f"/run/secrets/{secret}"} == set(added["services"][service]["environment"].values())


def test_the_image_is_pinned_and_not_root():
    """Every stage is built on one version of Python, and the process has a number that is not root's."""
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.\d+\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)
    assert ["${PYTHON_IMAGE} AS builder", "${PYTHON_IMAGE}"] == re.findall(
        r"^FROM (.*)$", DOCKERFILE, re.MULTILINE
    )
    assert ["10001:10001"] == re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)
    assert [__version__] == re.findall(r'image\.version="(.*)"', DOCKERFILE)
    assert ['["healthcheck"]'] == re.findall(r"^HEALTHCHECK .* CMD (.*)$", DOCKERFILE, re.MULTILINE)


def test_the_build_gets_what_it_copies_and_nothing_else():
    """The list of what is let in and the Dockerfile agree, and all of it is there."""
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {name for line in copied for name in line.split()}
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignore
    assert sources == {line[1:] for line in ignore if line.startswith("!")}
    assert all((ROOT / name).exists() for name in sources)


def test_the_images_to_carry_over_are_those_in_use():
    """The page on installing without internet packs all of them, in their versions."""
    (packed,) = re.findall(
        r"^docker save -o \S+ (.*)$", (ROOT / "docs" / "deploy.md").read_text(), re.MULTILINE
    )
    assert sorted({service["image"] for service in SERVICES.values()}) == sorted(packed.split())
