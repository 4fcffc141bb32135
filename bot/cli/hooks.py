"""`cloister hooks`: the webhooks that GitLab sends us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol
from urllib.parse import urlsplit

import typer

from bot.cli.context import settings_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.adapters.forge_gitlab_admin import HookScope, InstalledHook
    from bot.gitlab.administration import WebHook
    from bot.settings import Settings

#: Where the receiver listens for GitLab.
RECEIVER_PATH = "/webhooks/gitlab"
SIGNING_PREFIX = "whsec_"

app = typer.Typer(no_args_is_help=True, help="Look after the webhooks in GitLab.")


class Installer(Protocol):
    """Install webhooks; `bot.adapters.forge_gitlab_admin.GitLabAdmin` does."""

    async def hooks(self, scope: HookScope, target: str | int) -> list[WebHook]:
        """Return the webhooks that are there."""

    async def install_hook(
        self,
        scope: HookScope,
        target: str | int,
        *,
        url: str,
        token: str | None = None,
        signing_token: str | None = None,
        verify_tls: bool = True,
        rotate: bool = False,
    ) -> InstalledHook:
        """Make sure that one webhook sends our events to *url*."""


@app.callback()
def hooks() -> None:
    """Look after the webhooks in GitLab."""


@app.command(
    epilog="Example: `cloister hooks install group/app --url https://cloister.example`\n\n"
    "Rotate: put the new secret first, `CLOISTER_WEBHOOK_SECRET=new,old`, restart, then install with `--rotate`."
)
def install(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="PROJECT_OR_GROUP", help="Full path or id.")],
    url: Annotated[
        str | None,
        typer.Option(help="Address of Cloister as GitLab reaches it; default: the listening address."),
    ] = None,
    group: Annotated[bool, typer.Option("--group", help="It is a group (needs GitLab Premium).")] = False,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Set the secret although the hook is there.")
    ] = False,
    insecure: Annotated[
        bool, typer.Option("--no-verify-tls", help="GitLab does not check the certificate of Cloister.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")
    ] = False,
) -> None:
    """Make one webhook in GitLab send Cloister what happens to merge requests, comments and pipelines; twice is fine.

    Needs a token of a Maintainer of the project, or of an Owner of the group.
    """
    settings = settings_of(ctx)
    settings.require("gitlab_url", "gitlab_token", "webhook_secret")
    address = receiver_url(url, settings)

    import asyncio

    from bot.adapters.forge_gitlab_admin import HookScope

    scope = HookScope.group if group else HookScope.project

    async def act(admin: Installer) -> str:
        if dry_run:
            return await preview(admin, scope, target, address)
        token, signing_token = newest(settings.webhook_secrets)
        done = await admin.install_hook(
            scope,
            target,
            url=address,
            token=token,
            signing_token=signing_token,
            verify_tls=not insecure,
            rotate=rotate,
        )
        return f"{done.outcome}: webhook {done.id} of {target} -> {address}" + (
            ", signed" if done.signed else ""
        )

    typer.echo(asyncio.run(_with_admin(settings, act)))


def receiver_url(url: str | None, settings: Settings) -> str:
    """Return where GitLab shall send to: *url* as given, or the address that we listen on.

    Raises:
        SettingsError: nobody else can reach the address that we listen on, or *url* is not a URL.
    """
    from bot.settings import SettingsError

    if url is None:
        if _unreachable(settings):
            problem = f"GitLab cannot call {settings.listen}; name Cloister's address with --url"
            raise SettingsError([f"{problem} https://cloister.example"])
        url = f"http://{settings.listen}"
    if not url.startswith(("http://", "https://")):
        raise SettingsError([f"--url {url} must start with http:// or https://"])
    return url.rstrip("/") if url.rstrip("/").endswith(RECEIVER_PATH) else url.rstrip("/") + RECEIVER_PATH


def newest(secrets: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the first plain token and the first signing token among *secrets*."""
    plain = next((secret for secret in secrets if not secret.startswith(SIGNING_PREFIX)), None)
    signing = next((secret for secret in secrets if secret.startswith(SIGNING_PREFIX)), None)
    return plain, signing


async def preview(admin: Installer, scope: HookScope, target: str, url: str) -> str:
    """Return what an installation would do."""
    found = next((hook for hook in await admin.hooks(scope, target) if hook.url == url), None)
    if found is None:
        return f"would create a webhook of {target} -> {url}"
    return f"would update webhook {found.id} of {target} -> {url} where its events or secrets differ"


def _unreachable(settings: Settings) -> bool:
    from bot.settings_types import is_loopback

    if settings.host in {"0.0.0.0", "::"}:  # noqa: S104 - every address, so none that could be named
        return True
    return is_loopback(settings.host) and not is_loopback(urlsplit(settings.gitlab_url or "").hostname or "")


async def _with_admin(settings: Settings, act: Callable[[Installer], Awaitable[str]]) -> str:
    from bot.adapters.forge_gitlab_admin import GitLabAdmin

    assert settings.gitlab_url is not None
    assert settings.gitlab_token is not None
    token = settings.gitlab_token.get_secret_value()
    admin = GitLabAdmin(settings.gitlab_url, token, verify=settings.gitlab_tls())
    try:
        return await act(admin)
    finally:
        await admin.aclose()
